/**
 * What user SQL may call: names, not patterns. Functions that read files, settings, dictionaries or other sessions, that wait, or
 * that reach out of the process are left out, and so is whatever a later ClickHouse brings until somebody looked at it.
 */
const names = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Operators and syntax as the AST names them. */
const OPERATORS = names(`
  plus minus multiply divide modulo negate intDiv equals notEquals less greater lessOrEquals greaterOrEquals isDistinctFrom
  isNotDistinctFrom and or not xor in notIn globalIn globalNotIn nullIn notNullIn like notLike ilike notILike match concat if
  multiIf caseWithExpression array tuple map arrayElement tupleElement lambda CAST _CAST isNull isNotNull exists
  toIntervalNanosecond toIntervalMicrosecond toIntervalMillisecond toIntervalSecond toIntervalMinute toIntervalHour toIntervalDay
  toIntervalWeek toIntervalMonth toIntervalQuarter toIntervalYear singleValueOrNull grouping
`)

const SCALAR = names(`
  abs max2 min2 avg2 gcd lcm positiveModulo moduloOrZero intDivOrZero divideOrNull byteSwap isFinite isInfinite isNaN ifNotFinite
  bitAnd bitOr bitXor bitNot bitShiftLeft bitShiftRight bitRotateLeft bitRotateRight bitTest bitTestAll bitTestAny bitCount
  bitHammingDistance bitSlice ceil ceiling floor round roundBankers roundDown trunc
  acos acosh asin asinh atan atan2 atanh cbrt cos cosh degrees e erf erfc exp exp10 exp2 hypot intExp10 intExp2 ln log log10 log1p
  log2 pi pow power radians sigmoid sign sin sinh sqrt tan tanh mod widthBucket factorial
  greatest least clamp coalesce ifNull nullIf assumeNotNull toNullable isZeroOrNull isNullable firstNonDefault materialize identity
  toTypeName toColumnTypeName ignore transform rowNumberInAllBlocks rowNumberInBlock bar throwIf
  empty notEmpty length lengthUTF8 reverse reverseUTF8 has hasAll hasAny hasSubstr indexOf countEqual arrayAll arrayAvg arrayCompact
  arrayConcat arrayCount arrayCumSum arrayCumSumNonNegative arrayDifference arrayDistinct arrayDotProduct arrayElementOrNull
  arrayEnumerate arrayEnumerateDense arrayEnumerateUniq arrayExcept arrayExists arrayFill arrayFilter arrayFirst arrayFirstIndex
  arrayFirstOrNull arrayFlatten arrayFold arrayIntersect arrayJoin arrayLast arrayLastIndex arrayLastOrNull arrayMap arrayMax
  arrayMin arrayPartialSort arrayPopBack arrayPopFront arrayProduct arrayPushBack arrayPushFront arrayRemove arrayReverse
  arrayReverseFill arrayReverseSort arrayReverseSplit arrayRotateLeft arrayRotateRight arraySlice arraySort arraySplit arraySum
  arraySymmetricDifference arrayUnion arrayUniq arrayZip arrayZipUnaligned range emptyArrayString emptyArrayUInt8 emptyArrayUInt32
  emptyArrayUInt64 emptyArrayToSingle arrayStringConcat
  splitByChar splitByString splitByRegexp splitByWhitespace splitByNonAlpha alphaTokens extractAllGroupsVertical
  extractAllGroupsHorizontal extractAllGroups extractGroups extract extractAll
  tupleConcat tupleNames tupleToNameValuePairs untuple
  mapKeys mapValues mapContains mapContainsKey mapFromArrays mapFilter mapApply mapAdd mapSubtract mapSort mapReverseSort mapConcat
  mapExists mapAll mapUpdate
  addDays addHours addInterval addMicroseconds addMilliseconds addMinutes addMonths addQuarters addSeconds addWeeks addYears age
  date_diff dateDiff timestampDiff timestamp_diff dateName dateTrunc date_trunc date_add date_sub dateAdd dateSub dateadd datesub
  timestamp_add timestamp_sub formatDateTime fromUnixTimestamp makeDate makeDateTime makeDateTime64 monthName now now64
  subtractDays subtractHours subtractInterval subtractMicroseconds subtractMilliseconds subtractMinutes subtractMonths
  subtractQuarters subtractSeconds subtractWeeks subtractYears timeDiff timeSlot timeSlots toDayOfMonth toDayOfWeek toDayOfYear
  toHour toISOWeek toISOYear toLastDayOfMonth toMicrosecond toMillisecond toMinute toMonday toMonth toQuarter toRelativeDayNum
  toRelativeHourNum toRelativeMinuteNum toRelativeSecondNum toSecond toStartOfDay toStartOfFifteenMinutes toStartOfFiveMinutes
  toStartOfFiveMinute toStartOfHour toStartOfInterval toStartOfMicrosecond toStartOfMillisecond toStartOfMinute toStartOfMonth
  toStartOfQuarter toStartOfSecond toStartOfTenMinutes toStartOfWeek toStartOfYear toTimezone toTimeZone toUnixTimestamp toWeek
  toYYYYMM toYYYYMMDD toYYYYMMDDhhmmss toYear toYearWeek today yesterday current_timestamp current_date
  tumble tumbleEnd tumbleStart hop hopEnd hopStart
  cityHash64 farmHash64 halfMD5 intHash32 intHash64 MD5 SHA1 SHA256 sipHash64 xxHash32 xxHash64 xxh3 murmurHash3_64
  IPv4CIDRToRange IPv4NumToString IPv4StringToNum IPv4StringToNumOrDefault IPv4StringToNumOrNull IPv4ToIPv6 IPv6CIDRToRange
  IPv6NumToString IPv6StringToNum IPv6StringToNumOrDefault IPv6StringToNumOrNull isIPAddressInRange isIPv4String isIPv6String toIPv4
  toIPv4OrDefault toIPv4OrNull toIPv6 toIPv6OrDefault toIPv6OrNull MACNumToString MACStringToNum
  JSONExtract JSONExtractArrayRaw JSONExtractBool JSONExtractFloat JSONExtractInt JSONExtractKeys JSONExtractKeysAndValues
  JSONExtractKeysAndValuesRaw JSONExtractRaw JSONExtractString JSONExtractUInt JSONHas JSONKey JSONLength JSONType JSON_EXISTS
  JSON_QUERY JSON_VALUE isValidJSON toJSONString simpleJSONExtractString simpleJSONHas
  appendTrailingCharIfAbsent ascii base64Decode base64Encode bin unbin char hex unhex compareSubstrings concat_ws
  concatWithSeparator conv endsWith format initcap lcase left leftPad lower lowerUTF8 lpad ltrim mid printf regexpExtract
  repeat replace replaceAll replaceOne replaceRegexpAll replaceRegexpOne right rightPad rpad rtrim space startsWith substr substring
  substringIndex substringUTF8 toValidUTF8 translate trim trimBoth trimLeft trimRight ucase upper upperUTF8 isValidUTF8 reverse
  countMatches countSubstrings hasToken instr locate position positionCaseInsensitive positionUTF8 regexpQuoteMeta regexpPosition
  editDistance levenshteinDistance formatReadableSize formatReadableQuantity formatReadableTimeDelta formatReadableDecimalSize
  accurateCast accurateCastOrDefault accurateCastOrNull DATE
  fromUnixTimestamp64Micro fromUnixTimestamp64Milli fromUnixTimestamp64Nano toUnixTimestamp64Micro toUnixTimestamp64Milli
  toUnixTimestamp64Nano toUnixTimestamp64Second parseDateTime parseDateTimeBestEffort parseDateTimeBestEffortOrNull
  parseDateTime64BestEffort parseDateTime64BestEffortOrNull reinterpretAsUInt8 reinterpretAsUInt16 reinterpretAsUInt32
  reinterpretAsUInt64 reinterpretAsString toBool toDate toDate32 toDateOrNull toDateTime toDateTimeOrNull toDateTime64
  toDateTime64OrNull toDecimal32 toDecimal64 toDecimal128 toDecimalString toFixedString toFloat32 toFloat64 toFloat64OrNull
  toFloat64OrZero toInt8 toInt16 toInt32 toInt64 toInt64OrNull toInt64OrZero toInt128 toInt256 toInterval toLowCardinality
  toString toUInt8 toUInt16 toUInt32 toUInt64 toUInt32OrNull toUInt32OrZero toUInt64OrNull toUInt64OrZero toUInt128 toUInt256 toUUID
  finalizeAggregation runningDifference
`)

const AGGREGATE = names(`
  any anyLast any_value anyHeavy argMax argMin avg avgWeighted boundingRatio corr count covarPop covarSamp deltaSum
  deltaSumTimestamp entropy exponentialMovingAverage groupArray groupArrayLast groupArraySorted groupBitAnd groupBitOr groupBitXor
  groupConcat groupUniqArray groupArrayIntersect histogram intervalLengthSum kurtPop kurtSamp max maxIntersections
  maxIntersectionsPosition maxMap median medianExact min minMap quantile quantileExact quantileExactWeighted quantileTDigest
  quantileTiming quantiles quantilesExact quantilesTDigest quantilesTiming sequenceCount sequenceMatch simpleLinearRegression
  skewPop skewSamp sparkbar stddevPop stddevSamp sum sumCount sumKahan sumMap sumWithOverflow topK topKWeighted uniq uniqCombined
  uniqCombined64 uniqExact uniqHLL12 uniqUpTo varPop varSamp windowFunnel first_value last_value
`)

const WINDOW = names(`
  row_number rank dense_rank denseRank percent_rank ntile lag lead lagInFrame leadInFrame nth_value nonNegativeDerivative cume_dist
`)

const SUFFIXES = names('If Array Distinct OrNull OrDefault ForEach ArgMin ArgMax')

const lowered = (list: readonly string[]): ReadonlySet<string> =>
  new Set(list.map((each) => each.toLowerCase()))

const AGGREGATES = lowered(AGGREGATE)
const FUNCTIONS = lowered([...OPERATORS, ...SCALAR, ...AGGREGATE, ...WINDOW])

/** What drivers and Grafana ask a ClickHouse server when they connect and complete names; of use to nobody else. */
const CLIENT = lowered(
  names('version revision displayName timezone serverTimezone currentDatabase database'),
)
const CLIENT_TABLES: ReadonlySet<string> = new Set(names('databases tables'))

/** Names that a statement may use: those of everybody, and those of the interface for ClickHouse's own clients. */
export interface Vocabulary {
  /** Parameterised views of ours, called like table functions. */
  readonly views: ReadonlySet<string>
  /** The caller is a client of ClickHouse. */
  readonly client: boolean
}

export const mayCallIn = (name: string, { client }: Vocabulary): boolean =>
  mayCall(name) || (client && CLIENT.has(name.toLowerCase()))

export const systemTables = ({ client }: Vocabulary): ReadonlySet<string> =>
  client ? new Set([...SYSTEM_TABLES, ...CLIENT_TABLES]) : SYSTEM_TABLES

/** Names are compared without case: none that is allowed differs from a forbidden one by case alone (tested). */
export function mayCall(name: string): boolean {
  if (FUNCTIONS.has(name.toLowerCase())) return true
  for (const suffix of SUFFIXES) {
    const base = name.slice(0, -suffix.length)
    if (name.endsWith(suffix) && base !== '') {
      if (AGGREGATES.has(base.toLowerCase()) || (base !== name && mayCallAggregate(base)))
        return true
    }
  }
  return false
}

function mayCallAggregate(name: string): boolean {
  if (AGGREGATES.has(name.toLowerCase())) return true
  return SUFFIXES.some(
    (suffix) => name.endsWith(suffix) && mayCallAggregate(name.slice(0, -suffix.length)),
  )
}

/** Table functions: they make rows, and read nothing. */
export const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(
  names('numbers zeros values generateSeries generate_series'),
)

/** Tables of database `system` that tell of the language and of our own columns only. */
const SYSTEM_TABLES: ReadonlySet<string> = new Set(
  names('one numbers columns functions data_type_families time_zones'),
)

/** Bare words that may stand before a parenthesis without being called. */
export const SYNTAX: ReadonlySet<string> = new Set(
  names(`
    AS IN AND OR NOT FROM JOIN ON USING WHERE PREWHERE HAVING QUALIFY BY SELECT DISTINCT WHEN THEN ELSE CASE BETWEEN LIKE ILIKE UNION
    ALL INTERSECT EXCEPT OVER WITH INTERVAL LIMIT OFFSET EXISTS REPLACE COLUMNS FILTER SETS ROLLUP CUBE CAST EXTRACT TRIM SUBSTRING
    POSITION DESCRIBE DESC TABLE TO STEP INTERPOLATE RETURNING IS EXPLAIN SYNTAX PLAN PIPELINE AST TREE ESTIMATE
  `),
)

/** Types with parameters, as in CAST(x AS Array(String)) and {x:Array(String)}. */
export const TYPES: ReadonlySet<string> = new Set(
  names(`
    Array Nullable LowCardinality Tuple Map FixedString Decimal Decimal32 Decimal64 Decimal128 DateTime DateTime64 Enum8 Enum16 Enum
    String Bool UInt8 UInt16 UInt32 UInt64 UInt128 UInt256 Int8 Int16 Int32 Int64 Int128 Int256 Float32 Float64 Date Date32 UUID IPv4
    IPv6
  `),
)
