/** OpenBMP's binary header: what whoever reads and whoever writes one has to know. */

/** Object type of a raw BMP message; the only one that is framed this way. */
export const OBMP_BMP_RAW = 12
export const MAGIC = 0x4f424d50
/** Octets of the header before and after the names of variable length. */
export const BEFORE_ADMIN_ID = 40
export const FIXED_OCTETS = 78
export const FLAG_ROUTER = 0x80
export const FLAG_ROUTER_IPV6 = 0x40
