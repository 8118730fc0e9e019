SELECT multiIf(bitShiftRight(rd, 48) = 0, concat(toString(bitAnd(bitShiftRight(rd, 32), 65535)), ':', toString(bitAnd(rd, 4294967295))), bitShiftRight(rd, 48) = 1, concat(IPv4NumToString(toUInt32(bitAnd(bitShiftRight(rd, 16), 4294967295))), ':', toString(bitAnd(rd, 65535))), bitShiftRight(rd, 48) = 2, concat(toString(bitAnd(bitShiftRight(rd, 16), 4294967295)), ':', toString(bitAnd(rd, 65535))), concat('0x', lower(leftPad(hex(rd), 16, '0')))) AS rd_text,
    prefix, seen, toUnixTimestamp64Micro(since) AS since
FROM ribscope.t5_nh_rewrite
ORDER BY rd_text, prefix
