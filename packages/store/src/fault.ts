/**
 * Whose fault a failed insert is: that of the rows, so that trying again is useless, or that of the store, which may be better in
 * a moment. The same for the embedded engine and a server: both say ClickHouse's names of errors.
 */
import { engineErrorOf } from './http/exceptions.ts'
import { StoreError } from './store.ts'

export type Fault = 'data' | 'store'

const names = (text: string): readonly string[] => text.trim().split(/\s+/)

/**
 * The rows, their table or their columns are not what the store has. Everything else is the store's: away, overloaded
 * (TOO_MANY_PARTS, MEMORY_LIMIT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, TIMEOUT_EXCEEDED), read-only, without Keeper, without
 * its schema (UNKNOWN_DATABASE), without rights (ACCESS_DENIED), or in an error that nobody knows. Nothing is given up for those.
 */
export const DATA_FAULTS: ReadonlySet<string> = new Set(
  names(`
    ARGUMENT_OUT_OF_BOUND CANNOT_CONVERT_TYPE CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN CANNOT_PARSE_BOOL CANNOT_PARSE_DATE
    CANNOT_PARSE_DATETIME CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_INPUT_ASSERTION_FAILED
    CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 CANNOT_PARSE_NUMBER CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_TEXT CANNOT_PARSE_UUID
    CANNOT_READ_ALL_DATA CANNOT_READ_ARRAY_FROM_TEXT CANNOT_READ_MAP_FROM_TEXT CANNOT_SKIP_UNKNOWN_FIELD DECIMAL_OVERFLOW
    DUPLICATE_COLUMN ILLEGAL_COLUMN ILLEGAL_TYPE_OF_ARGUMENT INCORRECT_DATA INCORRECT_NUMBER_OF_COLUMNS INVALID_PARTITION_VALUE
    NO_SUCH_COLUMN_IN_TABLE NUMBER_OF_COLUMNS_DOESNT_MATCH SIZES_OF_COLUMNS_DOESNT_MATCH SIZE_OF_FIXED_STRING_DOESNT_MATCH
    SYNTAX_ERROR THERE_IS_NO_COLUMN TOO_LARGE_ARRAY_SIZE TOO_LARGE_STRING_SIZE TYPE_MISMATCH UNEXPECTED_DATA_AFTER_PARSED_VALUE
    UNKNOWN_ELEMENT_OF_ENUM UNKNOWN_FORMAT UNKNOWN_IDENTIFIER UNKNOWN_TABLE UNKNOWN_TYPE VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
    VIOLATED_CONSTRAINT
  `),
)

/**
 * `data`: put it aside and go on; `store`: try again. Of a torn answer nobody knows whether the rows are stored, which the token
 * of the insert makes harmless.
 */
export function faultOf(error: unknown): Fault {
  for (let at = error; at instanceof StoreError; at = at.cause) {
    if (at.fault !== undefined) return at.fault
  }
  const said = engineErrorOf(error)
  if (said === undefined) return 'store'
  // Rows of too many days in one block have the code of a table with too many parts, which merges cure.
  if (said.type === 'TOO_MANY_PARTS' && /partitions for single INSERT block/.test(said.message)) {
    return 'data'
  }
  return DATA_FAULTS.has(said.type) ? 'data' : 'store'
}
