/**
 * The parts of prom-client that are used, each by its file: the package as a whole loads node:http, node:https and
 * node:zlib for a gateway that nothing here speaks to, which took a tenth of a start.
 */
export { default as Counter } from "prom-client/lib/counter.js";
export { default as Gauge } from "prom-client/lib/gauge.js";
export { default as Histogram } from "prom-client/lib/histogram.js";
export { default as Registry } from "prom-client/lib/registry.js";
