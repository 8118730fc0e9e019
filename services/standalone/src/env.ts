/**
 * Every environment variable that stands for a flag, in one table: docs/configuration.md is held
 * equal to it by a test, and so is each command's `env`. A variable means the same everywhere.
 */
export interface EnvTwin {
  readonly flag: string
  readonly variable: string
  readonly about: string
}

export const ENV: readonly EnvTwin[] = [
  { flag: 'config', variable: 'RIBSCOPE_CONFIG', about: 'fabric.yaml to read' },
  { flag: 'bmp', variable: 'RIBSCOPE_BMP', about: 'where BMP is accepted, HOST:PORT' },
  {
    flag: 'bmp-v4',
    variable: 'RIBSCOPE_BMP_V4',
    about:
      'code points of BMP version 4: auto, pmacct, draft-16, draft-20, draft-21, bgp_pdu=N,...',
  },
  {
    flag: 'bmp-tls',
    variable: 'RIBSCOPE_BMP_TLS',
    about: 'where BMP over TLS is accepted, HOST:PORT',
  },
  {
    flag: 'bmp-tls-cert',
    variable: 'RIBSCOPE_BMP_TLS_CERT',
    about: 'certificate of the collector, a file in PEM',
  },
  { flag: 'bmp-tls-key', variable: 'RIBSCOPE_BMP_TLS_KEY', about: 'its key' },
  {
    flag: 'bmp-tls-ca',
    variable: 'RIBSCOPE_BMP_TLS_CA',
    about: 'authority of the routers; they have to show a certificate then',
  },
  {
    flag: 'bmp-dial',
    variable: 'RIBSCOPE_BMP_DIAL',
    about: 'routers in passive mode to connect to, [tls://]HOST:PORT,...',
  },
  { flag: 'http', variable: 'RIBSCOPE_HTTP', about: 'where HTTP is served, HOST:PORT' },
  {
    flag: 'clickhouse-http',
    variable: 'RIBSCOPE_CLICKHOUSE_HTTP',
    about: 'where ClickHouse’s own HTTP interface is served, read-only, HOST:PORT',
  },
  { flag: 'data', variable: 'RIBSCOPE_DATA', about: 'folder of the embedded store' },
  { flag: 'data-limit', variable: 'RIBSCOPE_DATA_LIMIT', about: 'disk limit, octets or N%' },
  { flag: 'keep-log', variable: 'RIBSCOPE_KEEP_LOG', about: 'days that events are kept' },
  {
    flag: 'keep-aggregates',
    variable: 'RIBSCOPE_KEEP_AGGREGATES',
    about: 'days that transitions, findings and time series are kept',
  },
  {
    flag: 'keep-errors',
    variable: 'RIBSCOPE_KEEP_ERRORS',
    about: 'days that what did not decode is kept',
  },
  { flag: 'insecure', variable: 'RIBSCOPE_INSECURE', about: 'HTTP beyond loopback without tokens' },
  {
    flag: 'log-level',
    variable: 'RIBSCOPE_LOG_LEVEL',
    about: 'fatal, error, warn, info, debug, trace',
  },
  {
    flag: 'api',
    variable: 'RIBSCOPE_API',
    about: 'base URL of the API for findings, vips, rib, diff',
  },
  {
    flag: 'url',
    variable: 'RIBSCOPE_CLICKHOUSE_URL',
    about: 'ClickHouse server, http(s)://HOST:PORT',
  },
  { flag: 'user', variable: 'RIBSCOPE_CLICKHOUSE_USER', about: 'user of that server' },
  { flag: 'password', variable: 'RIBSCOPE_CLICKHOUSE_PASSWORD', about: 'its password' },
  {
    flag: 'password-file',
    variable: 'RIBSCOPE_CLICKHOUSE_PASSWORD_FILE',
    about: 'file with that password',
  },
  { flag: 'name', variable: 'RIBSCOPE_COLLECTOR', about: 'name of a collector in rows' },
  { flag: 'kafka', variable: 'RIBSCOPE_KAFKA_BROKERS', about: 'brokers, HOST:PORT,...' },
  { flag: 'kafka-tls', variable: 'RIBSCOPE_KAFKA_TLS', about: 'TLS to the brokers' },
  { flag: 'kafka-ca', variable: 'RIBSCOPE_KAFKA_TLS_CA', about: 'PEM file of their authority' },
  { flag: 'kafka-cert', variable: 'RIBSCOPE_KAFKA_TLS_CERT', about: 'PEM file of our certificate' },
  { flag: 'kafka-key', variable: 'RIBSCOPE_KAFKA_TLS_KEY', about: 'PEM file of its key' },
  {
    flag: 'kafka-sasl',
    variable: 'RIBSCOPE_KAFKA_SASL_MECHANISM',
    about: 'plain, scram-sha-256, scram-sha-512',
  },
  { flag: 'kafka-user', variable: 'RIBSCOPE_KAFKA_SASL_USERNAME', about: 'user of the brokers' },
  {
    flag: 'kafka-password',
    variable: 'RIBSCOPE_KAFKA_SASL_PASSWORD',
    about: 'its password',
  },
  {
    flag: 'kafka-password-file',
    variable: 'RIBSCOPE_KAFKA_SASL_PASSWORD_FILE',
    about: 'file with that password',
  },
  {
    flag: 'kafka-group',
    variable: 'RIBSCOPE_KAFKA_GROUP',
    about: 'consumer group of the writers, or of collectors that read topics',
  },
  { flag: 'topic', variable: 'RIBSCOPE_TOPIC', about: 'topic of events; dead letters: TOPIC.dead' },
  {
    flag: 'from-kafka',
    variable: 'RIBSCOPE_FROM_KAFKA',
    about: 'topics of raw BMP that a collector reads in place of sockets',
  },
  {
    flag: 'raw-topic',
    variable: 'RIBSCOPE_RAW_TOPIC',
    about: 'topic of BMP messages as they were received, with OpenBMP’s header',
  },
  {
    flag: 'format',
    variable: 'RIBSCOPE_FORMAT',
    about: 'of rows on the bus: native, or json for programs that are not ClickHouse',
  },
  { flag: 'partitions', variable: 'RIBSCOPE_PARTITIONS', about: 'of topics that are made' },
  {
    flag: 'replication',
    variable: 'RIBSCOPE_REPLICATION',
    about: 'copies of topics that are made',
  },
  {
    flag: 'topic-retention',
    variable: 'RIBSCOPE_TOPIC_RETENTION',
    about: 'how long topics that are made keep messages: 72h, 7d',
  },
  {
    flag: 'topic-exists',
    variable: 'RIBSCOPE_TOPIC_EXISTS',
    about: 'topics are not made: one that is not there is an error',
  },
  {
    flag: 'lost-after',
    variable: 'RIBSCOPE_LOST_AFTER',
    about: 'seconds of silence of a collector after which its routers have lost their feed',
  },
  {
    flag: 'metrics',
    variable: 'RIBSCOPE_METRICS',
    about: 'where a service serves /metrics, /healthz and /readyz, HOST:PORT',
  },
  { flag: 'tokens-file', variable: 'RIBSCOPE_TOKENS_FILE', about: 'bearer tokens of the API' },
  {
    flag: 'wait',
    variable: 'RIBSCOPE_WAIT',
    about: 'seconds that the server may be away, or its schema old, at the start',
  },
  {
    flag: 'cluster',
    variable: 'RIBSCOPE_CLICKHOUSE_CLUSTER',
    about: 'cluster of that server, replicated and sharded',
  },
  { flag: 'token', variable: 'RIBSCOPE_TOKEN', about: 'bearer token for that API' },
]
