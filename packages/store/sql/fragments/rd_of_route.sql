    -- Route distinguisher of a route l: behind the text in nlri_key (flags bit 21), nlri_key itself (SAFI 76 and 129), else as column rd has it.
    multiIf(bitTest(l.flags, 21), reinterpretAsUInt64(reverse(substring(l.nlri_key, position(l.nlri_key, char(0)) + 1, 8))), l.safi IN (76, 129) AND l.ip_version != 0, reinterpretAsUInt64(reverse(l.nlri_key)), l.rd) AS rd_of_route,
