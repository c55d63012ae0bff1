"""Writes spans and metrics as OTLP JSON, from the SDK's objects straight to text."""

import json


def traces(spans, resource):
    """Encodes finished spans. All are of one process, so of one resource."""
    scopes = {}
    for span in spans:
        scopes.setdefault(span.instrumentation_scope, []).append(_span(span))
    scoped = [{"scope": _scope(scope), "spans": of_scope} for scope, of_scope in scopes.items()]
    return _text({"resourceSpans": [{"resource": {"attributes": attributes(resource)}, "scopeSpans": scoped}]})


def metrics(data, resource):
    """Encodes what a metric reader collected; None if that is nothing."""
    scoped = []
    for of_resource in data.resource_metrics:
        for of_scope in of_resource.scope_metrics:
            encoded = [m for m in map(_metric, of_scope.metrics) if m is not None]
            if encoded:
                scoped.append({"scope": _scope(of_scope.scope), "metrics": encoded})
    if not scoped:
        return None
    return _text({"resourceMetrics": [{"resource": {"attributes": attributes(resource)}, "scopeMetrics": scoped}]})


def attributes(values):
    return [{"key": key, "value": _value(value)} for key, value in (values or {}).items()]


def _text(value):
    # A lone surrogate, as in a path that is not UTF-8, must not cost a whole batch.
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _value(value):
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": _double(value)}
    if isinstance(value, (list, tuple)):
        return {"arrayValue": {"values": [_value(v) for v in value if v is not None]}}
    return {"stringValue": str(value)}


def _double(value):
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _scope(scope):
    if scope is None:
        return {}
    return {"name": scope.name, "version": scope.version or ""}


def _context(context):
    return {"traceId": format(context.trace_id, "032x"), "spanId": format(context.span_id, "016x")}


def _flags(context, parent):
    # Bits 8 and 9 say whether the parent is remote, and that this is known.
    return int(context.trace_flags) | 0x100 | (0x200 if parent is not None and parent.is_remote else 0)


def _span(span):
    context, parent = span.context, span.parent
    encoded = _context(context)
    encoded.update(
        name=span.name,
        kind=span.kind.value + 1,
        startTimeUnixNano=str(span.start_time),
        endTimeUnixNano=str(span.end_time),
        attributes=attributes(span.attributes),
        flags=_flags(context, parent),
    )
    if parent is not None:
        encoded["parentSpanId"] = format(parent.span_id, "016x")
    if context.trace_state:
        encoded["traceState"] = context.trace_state.to_header()
    if span.events:
        encoded["events"] = [
            {"timeUnixNano": str(e.timestamp), "name": e.name, "attributes": attributes(e.attributes)}
            for e in span.events
        ]
    if span.links:
        encoded["links"] = [dict(_context(link.context), attributes=attributes(link.attributes)) for link in span.links]
    if span.status.status_code.value:
        encoded["status"] = {"code": span.status.status_code.value, "message": span.status.description or ""}
    return encoded


def _metric(metric):
    data = metric.data
    points = [point for point in map(_point, data.data_points) if point is not None]
    if not points:
        return None
    encoded = {"name": metric.name, "description": metric.description or "", "unit": metric.unit or ""}
    kind = {"Gauge": "gauge", "Sum": "sum", "Histogram": "histogram", "ExponentialHistogram": "exponentialHistogram"}
    field = kind.get(type(data).__name__)
    if field is None:
        return None
    content = {"dataPoints": points}
    if field != "gauge":
        content["aggregationTemporality"] = int(data.aggregation_temporality)
    if field == "sum":
        content["isMonotonic"] = data.is_monotonic
    encoded[field] = content
    return encoded


def _point(point):
    encoded = {"attributes": attributes(point.attributes), "timeUnixNano": str(point.time_unix_nano)}
    if point.start_time_unix_nano is not None:
        encoded["startTimeUnixNano"] = str(point.start_time_unix_nano)
    if hasattr(point, "value"):
        if isinstance(point.value, int):
            encoded["asInt"] = str(point.value)
        else:
            encoded["asDouble"] = _double(point.value)
        return encoded
    if not point.count:
        return None
    encoded.update(count=str(point.count), sum=_double(point.sum), min=_double(point.min), max=_double(point.max))
    if hasattr(point, "explicit_bounds"):
        encoded["explicitBounds"] = list(point.explicit_bounds)
        encoded["bucketCounts"] = [str(n) for n in point.bucket_counts]
        return encoded
    encoded.update(scale=point.scale, zeroCount=str(point.zero_count))
    for side in ("positive", "negative"):
        buckets = getattr(point, side)
        encoded[side] = {"offset": buckets.offset, "bucketCounts": [str(n) for n in buckets.bucket_counts]}
    return encoded
