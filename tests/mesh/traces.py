"""One trace through Envoy and the gateway: with W3C's headers (Envoy's OpenTelemetry tracer) and with B3's (its Zipkin
tracer)."""

import json

from bench import submit
from check import equal, true
from live.collector import Collector
from live.process import wait_until
from shapes import address, hop

TRACE = "type.googleapis.com/envoy.config.trace.v3."


def traced(target, collector, tracer):
    """A hop whose Envoy begins traces, and tells the collector of its own spans."""
    config = hop(target)
    [listener] = config["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    manager["tracing"] = {"provider": tracer}
    config["static_resources"]["clusters"].append({
        "name": "collector", "type": "STATIC", "connect_timeout": "2s",
        "load_assignment": {"cluster_name": "collector", "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address(collector.address)}}]}]}})
    return config


def opentelemetry(collector):
    return {"name": "envoy.tracers.opentelemetry", "typed_config": {
        "@type": TRACE + "OpenTelemetryConfig", "service_name": "envoy",
        "http_service": {"http_uri": {"uri": collector.url + "/v1/traces", "cluster": "collector", "timeout": "2s"}}}}


def zipkin(_collector):
    return {"name": "envoy.tracers.zipkin", "typed_config": {
        "@type": TRACE + "ZipkinConfig", "collector_cluster": "collector", "collector_endpoint": "/api/v2/spans",
        "collector_endpoint_version": "HTTP_JSON", "trace_id_128bit": True, "shared_span_context": False}}


def in_protobuf(body, trace, span):
    """Whether OTLP's bytes hold a span with this id in this trace: they are the first two fields of one."""
    return b"\x0a\x10" + bytes.fromhex(trace) + b"\x12\x08" + bytes.fromhex(span) in body


def of_envoy(collector, trace, span):
    """Whether Envoy has told of this span."""
    for path, body in list(collector.others):
        if path == "/api/v2/spans":
            if any((each["traceId"], each["id"]) == (trace, span) for each in json.loads(body)):
                return True
        elif in_protobuf(body, trace, span):
            return True
    return False


def one_trace(bench):
    for name, tracer in (("W3C, by Envoy's OpenTelemetry tracer", opentelemetry),
                         ("B3, by Envoy's Zipkin tracer", zipkin)):
        collector = Collector()
        bench.exits.callback(collector.close)
        _, gateway = bench.side("--otlp-endpoint", collector.url, sandbox=("--speed", "20"))
        front = bench.envoy(traced(gateway.grpc, collector, tracer(collector)))
        told = submit(front.target, "traced")
        wait_until(lambda found=collector: found.spans(name="submit PREVIEW"), "the gateway's spans")
        [call] = collector.spans(name="pictory.jobs.v1.PictoryJobs/CreatePreview")
        [sent] = collector.spans(name="submit PREVIEW")
        yield equal(f"{name}: the submission is below the call", (sent["traceId"], sent["parentSpanId"]),
                    (call["traceId"], call["spanId"]))
        envoys = wait_until(lambda: of_envoy(collector, call["traceId"], call["parentSpanId"]), f"Envoy's span among {collector.others}")
        yield true(f"{name}: the call is below Envoy's span, in one trace", envoys, call["traceId"], "one trace")
        line = wait_until(lambda: [each for each in map(json.loads, gateway.log.read_text().splitlines())
                                   if each["event"] == "submitted"], "the log's line")[0]
        yield equal(f"{name}: the log names it", (line["job_id"], line["trace_id"]), (told.job_id, call["traceId"]))
