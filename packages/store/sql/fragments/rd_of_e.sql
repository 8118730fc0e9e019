        -- Route distinguisher of a row e of the log: behind the text in nlri_key (flags bit 20), nlri_key itself (SAFI 76 and 129), else as column rd has it.
        multiIf(bitTest(e.flags, 20), reinterpretAsUInt64(reverse(substring(e.nlri_key, position(e.nlri_key, char(0)) + 1, 8))), e.safi IN (76, 129) AND e.ip_version != 0, reinterpretAsUInt64(reverse(e.nlri_key)), e.rd)
