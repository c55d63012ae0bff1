"""The SDK's providers as the agent sets them up: spans and metrics go to the worker."""

import functools
import gc
import os
import sys

from opentelemetry import metrics, trace
from opentelemetry.instrumentation._semconv import _OpenTelemetrySemanticConventionStability
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics import Counter, Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from threading import Lock

from odi_agent.sender import Sender
from odi_agent.worker import Worker


class Running:
    """Running is the agent in this process."""

    def __init__(self):
        self._attributes = _resource()
        senders = {signal: Sender(signal) for signal in ("traces", "metrics") if _exports(signal)}
        self.worker = Worker(self._resource, senders)
        resource = Resource(self._attributes)
        self._reader = _Reader()
        # Without exemplars: each costs a span's context and time per measurement.
        self.meters = _Meters(
            metric_readers=[self._reader] if "metrics" in senders else [],
            resource=resource,
            exemplar_filter=None if os.environ.get("OTEL_METRICS_EXEMPLAR_FILTER") else AlwaysOffExemplarFilter(),
            shutdown_on_exit=False,
        )
        self.tracers = _Tracers(resource=resource, shutdown_on_exit=False)
        if "traces" in senders:
            self.tracers.add_span_processor(_Processor(self.worker))
        if "metrics" in senders:
            self.worker.collect_metrics_with(self._reader.take)

    def _resource(self):
        # The process is named when something is sent: workers that a server forks share all else.
        return dict(self._attributes, **{"process.pid": os.getpid()})

    def install(self, step_aside):
        """Makes the providers the global ones, until the application sets its own."""
        trace.set_tracer_provider(self.tracers)
        metrics.set_meter_provider(self.meters)
        _OpenTelemetrySemanticConventionStability._initialize()
        _observe_garbage_collector(self.meters.get_meter("odi.python"))

        def set_tracer_provider(provider):
            if trace._TRACER_PROVIDER is self.tracers:
                step_aside()
                trace._TRACER_PROVIDER = provider

        def set_meter_provider(provider):
            self.worker.collect_metrics_with(None)
            if metrics._internal._METER_PROVIDER is self.meters:
                metrics._internal._METER_PROVIDER = provider

        trace.set_tracer_provider = set_tracer_provider
        metrics.set_meter_provider = set_meter_provider

    def flush_when_uvicorn_ends(self, module):
        """uvicorn ends by the signal that it was sent, so nothing that is registered for the exit runs."""
        original = module.Server.shutdown

        @functools.wraps(original)
        async def shutdown(*args, **kwargs):
            await original(*args, **kwargs)
            self.worker.flush()

        module.Server.shutdown = shutdown

    def end(self):
        self.worker.end()


def _exports(signal):
    """Says whether the agent sends a signal. Any exporter's name but none is understood as OTLP, which is all it has."""
    return os.environ.get("OTEL_%s_EXPORTER" % signal.upper(), "otlp").strip().lower() != "none"


def _resource():
    agent, _, version = os.environ.get("ODI_AGENT", "").partition("@")
    attributes = {"telemetry.distro.name": "odi"}
    if agent and version:
        attributes["telemetry.distro.version"] = version
    attributes["process.runtime.name"] = sys.implementation.name
    attributes["process.runtime.version"] = "%d.%d.%d" % sys.version_info[:3]
    return dict(Resource.create(attributes).attributes)


class _Tracers(TracerProvider):
    def _handle_fork(self):
        # Upstream gives a fork another service.instance.id, also when the user has set it, and starts threads for it.
        self._tracers_lock = Lock()


class _Meters(MeterProvider):
    def _handle_fork(self):
        self._lock, self._meter_lock = Lock(), Lock()


class _Processor(SpanProcessor):
    def __init__(self, worker):
        self._worker = worker

    def on_end(self, span):
        if span.context.trace_flags.sampled:
            self._worker.add(span)


class _Reader(MetricReader):
    """Hands out what the SDK has counted when the worker asks."""

    def __init__(self):
        preference = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "").lower()
        delta = {
            "delta": (Counter, Histogram, ObservableCounter),
            "lowmemory": (Counter, Histogram),
        }.get(preference, ())
        super().__init__(preferred_temporality={kind: AggregationTemporality.DELTA for kind in delta})
        self._taken = None

    def take(self):
        self.collect()
        taken, self._taken = self._taken, None
        return taken

    def _receive_metrics(self, metrics_data, timeout_millis=0, **kwargs):
        self._taken = metrics_data

    def shutdown(self, timeout_millis=0, **kwargs):
        pass


def _observe_garbage_collector(meter):
    for name, key, unit in (
        ("cpython.gc.collections", "collections", "{collection}"),
        ("cpython.gc.collected_objects", "collected", "{object}"),
        ("cpython.gc.uncollectable_objects", "uncollectable", "{object}"),
    ):
        meter.create_observable_counter(name, [_of_generations(key)], unit, "Of Python's garbage collector.")


def _of_generations(key):
    def observe(_options):
        return [
            metrics.Observation(counts[key], {"cpython.gc.generation": generation})
            for generation, counts in enumerate(gc.get_stats())
        ]

    return observe
