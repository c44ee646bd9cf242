/**
 * Every metric of Weir, by name: what `/metrics` shows, what docs/operations.md lists, and what rules and dashboards
 * may use; tests hold them against each other. Names follow Prometheus's conventions: base units, `_total` for counters.
 * Label values come from closed sets or from the configuration, never from a client.
 */
export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence, without a line break. */
  readonly help: string;
  readonly labels: readonly string[];
}

export const METRICS = {
  requests: counter(
    'weir_requests_total',
    'Requests that were answered or broken off, by listener, endpoint (page: the site; other: none) and class of the status.',
    ['listener', 'endpoint', 'class'],
  ),
  requestsInFlight: gauge('weir_requests_in_flight', 'Requests under way on the edge and server listeners.'),
  problems: counter(
    'weir_problems_total',
    'Requests that were answered with a problem, by its code (http-<status> where the catalogue has none).',
    ['code'],
  ),
  ingress: counter(
    'weir_ingress_events_total',
    'Events received, by datastream and outcome; the sum over the outcomes is what was received.',
    ['datastream', 'outcome'],
  ),
  shed: counter('weir_shed_requests_total', 'Requests that were refused for the server’s own reasons, by kind.', [
    'kind',
  ]),
  identities: counter(
    'weir_identity_findings_total',
    'Identity cookies that were found verified or unverified or only of a foreign org, and ids that were quarantined, by what.',
    ['what'],
  ),
  decisions: counter(
    'weir_decisions_total',
    'Verdicts about activities and decisions of offers that had something for what was asked, by outcome.',
    ['outcome'],
  ),
  decisionSeconds: histogram('weir_decision_seconds', 'Time that the decisions of one event took.'),
  decisionsShed: counter(
    'weir_decisions_shed_total',
    'Events that were stored without decisions, because there was too much to store.',
  ),
  notifications: counter(
    'weir_proposition_notifications_total',
    'Notifications of propositions (displays, clicks and the like) that count, and events whose tokens are not of this server, by what.',
    ['what'],
  ),
  syncSeconds: histogram(
    'weir_log_sync_seconds',
    'Time from the start of a write to the log until it is durable and acknowledged, one observation a group of requests.',
  ),
  queueAge: gauge('weir_log_queue_age_seconds', 'How long the oldest append has been waiting for the disk.'),
  queueBytes: gauge('weir_log_queue_bytes', 'Bytes that wait for the disk.'),
  appends: counter('weir_log_appends_total', 'Records made durable, one for each request that stores something.'),
  appendedBytes: counter('weir_log_appended_bytes_total', 'Bytes made durable.'),
  nextPosition: gauge('weir_log_next_position', 'Offset that the next record will get.'),
  segmentBytes: gauge('weir_log_segment_bytes', 'Size of the log’s files together.'),
  expired: counter(
    'weir_log_expired_events_total',
    'Events that were removed from the log because their datastream keeps them no longer, by datastream.',
    ['datastream'],
  ),
  expiryPass: gauge(
    'weir_log_expiry_pass_timestamp_seconds',
    'When the last whole pass over the log for expired events was over; NaN before the first.',
  ),
  expiryWaits: gauge(
    'weir_log_expiry_waits_for_clock',
    '1 while nothing is removed from the log by its age, because the machine’s clock has not run evenly for an hour.',
  ),
  expiryFailed: gauge('weir_log_expiry_failed', '1 where the last pass over the log for expired events was not whole.'),
  logFailed: gauge(
    'weir_log_failed',
    '1 after a write or a sync failed: nothing is acknowledged, and the process stops.',
  ),
  logRefusing: gauge('weir_log_refusing', '1 while appends are refused, whatever the reason.'),
  diskFree: gauge('weir_disk_free_bytes', 'Space left for this user on the file system of the data folder.'),
  diskLeft: gauge(
    'weir_disk_left_seconds',
    'Time until appends are refused for lack of space, at the growth of the last hours; +Inf where it does not grow, NaN while it is not known.',
  ),
  stateLag: gauge('weir_state_lag_records', 'Records that would be replayed into the state’s database after a crash.'),
  damage: counter(
    'weir_storage_damage_reports_total',
    'Reports of damage, loss or refusal by log and state since the start.',
  ),
  configurationRejected: gauge(
    'weir_configuration_rejected',
    '1 while the workspace’s files are not in force, because they have errors.',
  ),
  configurationLoaded: gauge('weir_configuration_loaded_timestamp_seconds', 'When the workspace in force was loaded.'),
  certificateLeft: gauge(
    'weir_tls_certificate_left_seconds',
    'Time until the TLS listener’s certificate expires; absent without one.',
  ),
  certificateRejected: gauge(
    'weir_tls_certificate_rejected',
    '1 while the files of the certificate are not in force, because they cannot be used; absent without TLS.',
  ),
  adminFailures: counter(
    'weir_admin_authentication_failures_total',
    'Requests to the admin listener without a valid token.',
  ),
  auditBroken: gauge('weir_audit_broken', '1 where the audit log’s chain is broken.'),
  loopDelay: histogram(
    'weir_event_loop_delay_seconds',
    'How late a timer of the process was, looked at ten times a second.',
  ),
  memory: gauge('weir_memory_bytes', 'Memory of the process: resident, heap in use, and outside of the heap.', [
    'kind',
  ]),
  cpu: counter('weir_cpu_seconds_total', 'Processor time of the process.', ['mode']),
  started: gauge('weir_start_timestamp_seconds', 'When the server started; the ledger counts from here.'),
  build: gauge('weir_build_info', 'Always 1; its labels say what runs.', ['version', 'node']),
} as const satisfies Readonly<Record<string, MetricSpec>>;

function counter(name: string, help: string, labels: readonly string[] = []): MetricSpec {
  return { name, type: 'counter', help, labels };
}
function gauge(name: string, help: string, labels: readonly string[] = []): MetricSpec {
  return { name, type: 'gauge', help, labels };
}
function histogram(name: string, help: string): MetricSpec {
  return { name, type: 'histogram', help, labels: [] };
}
