-- A journal of schema 1 as it was written: three records of a rollout, and a lease that was given up.
PRAGMA application_id = 1836081507;
PRAGMA journal_mode = WAL;
CREATE TABLE rollout (
key INTEGER PRIMARY KEY,
id  TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE record (
rollout INTEGER NOT NULL REFERENCES rollout (key),
number  INTEGER NOT NULL,
body    TEXT NOT NULL,
PRIMARY KEY (rollout, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
name         TEXT NOT NULL PRIMARY KEY,
fence        INTEGER NOT NULL,
holder       TEXT,
boot         TEXT,
steady_until INTEGER NOT NULL,
wall_until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO rollout (key, id) VALUES (1, 'smartpos-v2.1.0-20260128T090000Z');
INSERT INTO record (rollout, number, body) VALUES (1, 1, '{"version":1,"number":1,"at":"2026-01-28T09:00:00Z","entry":{"begun":{"id":"smartpos-v2.1.0-20260128T090000Z","policy":{"name":"mpac","stages":[{"name":"canary","weights":{"blue":95,"green":5},"bake":"15 min","deadline_in_bakes":2,"gates":[{"id":"error-rate","rule":{"rate":"errors / requests < 0.1 %"}},{"id":"latency-p95","rule":{"periods":{"hold":"latency_p95_ms < 500 ms","share":"95 %"}}},{"id":"http-5xx","rule":{"sum":"http_5xx = 0"}}]},{"name":"half","weights":{"blue":50,"green":50},"bake":"30 min","deadline_in_bakes":2,"gates":[{"id":"error-rate","rule":{"rate":"errors / requests < 0.1 %"}},{"id":"latency-p95","rule":{"periods":{"hold":"latency_p95_ms < 500 ms","share":"95 %"}}},{"id":"comparison","rule":{"comparison":{"significance":"1 %","latency_ratio":"130 %","latency_surplus":"20 ms"}}},{"id":"memory-leak","rule":{"no-trend":{"signal":"memory_utilization","rise":"2 %","fit":"50 %"}}},{"id":"transaction-success","rule":{"rate":"1 - transaction_failures / transactions > 99.9 %"}}]},{"name":"full","weights":{"blue":0,"green":100},"bake":"60 min","deadline_in_bakes":2,"gates":[{"id":"error-rate","rule":{"rate":"errors / requests < 0.1 %"}},{"id":"success-rate","rule":{"rate":"1 - errors / requests > 99.9 %"}},{"id":"latency-p50","rule":{"periods":{"hold":"latency_p50_ms < 100 ms","share":"95 %"}}},{"id":"latency-p95","rule":{"periods":{"hold":"latency_p95_ms < 500 ms","share":"95 %"}}},{"id":"latency-p99","rule":{"periods":{"hold":"latency_p99_ms < 1000 ms","share":"95 %"}}},{"id":"log-anomalies","rule":{"sum":"log_anomalies = 0"}},{"id":"business-metrics","rule":{"baseline":{"signal":"transactions / requests","at_least":"80 %"}}}]}],"triggers":[{"id":"error-rate","rule":{"consecutive":{"when":"errors / requests > 1 %","periods":5,"without_value":"skip"}}},{"id":"latency-p95","rule":{"consecutive":{"when":"latency_p95_ms > 2000 ms","periods":5,"without_value":"skip"}}},{"id":"critical-service","rule":{"critical":{"services":["postgres_up","redis_up"]}}},{"id":"http-5xx","rule":{"period":"http_5xx > 10"}}],"alerts":[{"id":"error-rate","rule":{"period":"errors / requests > 0.5 %"}},{"id":"latency-p95","rule":{"period":"latency_p95_ms > 1000 ms"}},{"id":"success-rate","rule":{"period":"1 - errors / requests < 99.5 %"}},{"id":"db-connection-errors","rule":{"period":"db_connection_errors > 10"}},{"id":"memory","rule":{"period":"memory_utilization > 85 %"}}],"evidence":{"settle":"60 s","sparse":["errors","http_5xx"]},"blindness":{"hold_after":3,"rollback_after":10,"rollback_of":15},"traffic_loss":{"alert_after":3,"rollback_after":10},"probes":{"failures":3,"interval":"10 s"},"decommission":{"wait":"60 min"},"effects":{"timeout":"60 s","check_timeout":"5 min","attempts":3,"backoff":"2 s","backoff_limit":"30 s","poll":"10 s","provision_deadline":"15 min","ttl":"60 s"}},"release":{"service":"smartpos","record":"api.mpac-cloud.com","blue":"v2.0.0","green":"v2.1.0","checks":["smoke","integration","database","auth"],"metrics":["requests","errors","http_5xx","latency_p50_ms","latency_p95_ms","latency_p99_ms","db_connection_errors","memory_utilization","transactions","transaction_failures","log_anomalies"],"probes":["postgres_up","redis_up"]}}},"decisions":[{"kind":"start","stage":null,"rule":null,"evidence_end":null,"at":"2026-01-28T09:00:00Z","reason":"smartpos: v2.1.0 replaces v2.0.0 on api.mpac-cloud.com, by the policy `mpac`"}]}');
INSERT INTO record (rollout, number, body) VALUES (1, 2, '{"version":1,"number":2,"at":"2026-01-28T09:00:00.308Z","entry":{"happened":{"outcome":{"effect":{"rollout":"smartpos-v2.1.0-20260128T090000Z","number":1},"result":{"Ok":{"weights":{"blue":100,"green":0}}}}}}}');
INSERT INTO record (rollout, number, body) VALUES (1, 3, '{"version":1,"number":3,"at":"2026-01-28T09:00:00.594Z","entry":{"happened":{"outcome":{"effect":{"rollout":"smartpos-v2.1.0-20260128T090000Z","number":2},"result":{"Ok":"done"}}}}}');
INSERT INTO lease VALUES ('api.mpac-cloud.com', 7, NULL, '9f0c3a52-0c4b-4d6a-8f3e-2b8a4c1d7e55', 1000, 1769590830000);
PRAGMA user_version = 1;
