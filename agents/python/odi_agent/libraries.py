"""The libraries that the agent understands, and what it does when an application imports one.

Nothing is done before: an application pays for what it uses, a library is never imported earlier than the
application wants (gevent has patched by then, and Django's settings can be known), and what an application
never imports cannot break it.
"""

import functools
import importlib
import os

# Name in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, the module whose import is waited for, the instrumentor.
TABLE = (
    ("aio-pika", "aio_pika", "aio_pika:AioPikaInstrumentor"),
    ("aiobotocore", "aiobotocore.client", "botocore:AiobotocoreInstrumentor"),
    ("aiohttp-client", "aiohttp", "aiohttp_client:AioHttpClientInstrumentor"),
    ("aiohttp-server", "aiohttp.web", "aiohttp_server:AioHttpServerInstrumentor"),
    ("aiokafka", "aiokafka", "aiokafka:AIOKafkaInstrumentor"),
    ("asyncpg", "asyncpg", "asyncpg:AsyncPGInstrumentor"),
    ("botocore", "botocore.client", "botocore:BotocoreInstrumentor"),
    ("celery", "celery.app.base", "celery:CeleryInstrumentor"),
    ("confluent_kafka", "confluent_kafka", "confluent_kafka:ConfluentKafkaInstrumentor"),
    ("falcon", "falcon", "falcon:FalconInstrumentor"),
    ("flask", "flask", "flask:FlaskInstrumentor"),
    ("grpc_aio_client", "grpc", "grpc:GrpcAioInstrumentorClient"),
    ("grpc_aio_server", "grpc", "grpc:GrpcAioInstrumentorServer"),
    ("grpc_client", "grpc", "grpc:GrpcInstrumentorClient"),
    ("grpc_server", "grpc", "grpc:GrpcInstrumentorServer"),
    ("httpx", "httpx", "httpx:HTTPXClientInstrumentor"),
    ("kafka", "kafka", "kafka:KafkaInstrumentor"),
    ("mysql", "mysql.connector", "mysql:MySQLInstrumentor"),
    ("mysqlclient", "MySQLdb", "mysqlclient:MySQLClientInstrumentor"),
    ("pika", "pika", "pika:PikaInstrumentor"),
    ("psycopg", "psycopg", "psycopg:PsycopgInstrumentor"),
    ("psycopg2", "psycopg2", "psycopg2:Psycopg2Instrumentor"),
    ("pymemcache", "pymemcache", "pymemcache:PymemcacheInstrumentor"),
    ("pymongo", "pymongo", "pymongo:PymongoInstrumentor"),
    ("pymysql", "pymysql", "pymysql:PyMySQLInstrumentor"),
    ("pyramid", "pyramid.config", "pyramid:PyramidInstrumentor"),
    ("redis", "redis", "redis:RedisInstrumentor"),
    ("requests", "requests", "requests:RequestsInstrumentor"),
    ("sqlalchemy", "sqlalchemy", "sqlalchemy:SQLAlchemyInstrumentor"),
    ("sqlite3", "sqlite3", "sqlite3:SQLite3Instrumentor"),
    ("threading", "threading", "threading:ThreadingInstrumentor"),
    ("tornado", "tornado.web", "tornado:TornadoInstrumentor"),
    ("urllib", "urllib.request", "urllib:URLLibInstrumentor"),
    ("urllib3", "urllib3", "urllib3:URLLib3Instrumentor"),
)

# A span for each ASGI message says nothing that the request's span does not.
_NO_MESSAGES = ["receive", "send"]


class Libraries:
    """Libraries instruments what is imported, and can take it back. Its failures are reported, never raised."""

    def __init__(self, report):
        self._report = report
        self._done = []
        names = os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "")
        self._disabled = {name.strip() for name in names.split(",")}

    def watch(self, finder):
        if "*" in self._disabled:
            return
        rows = [(name, module, functools.partial(self._instrument, value)) for name, module, value in TABLE]
        rows.append(("fastapi", "fastapi", self._fastapi))
        rows.append(("starlette", "starlette.applications", self._starlette))
        rows.append(("django", "django.core.handlers.base", self._django))
        if os.environ.get("OTEL_PYTHON_LOG_CORRELATION", "").lower() == "true":
            rows.append(("logging", "logging", functools.partial(self._instrument, "logging:LoggingInstrumentor")))
        for name, module, hook in rows:
            if name not in self._disabled:
                finder.after(module, functools.partial(self._try, hook))

    def undo(self):
        while self._done:
            self._try(self._done.pop().uninstrument)

    def _try(self, hook, *args):
        try:
            hook(*args)
        except Exception as error:  # A library of an unexpected shape stays as it is.
            self._report(error)

    def _instrument(self, value, _module, **options):
        module, _, name = value.partition(":")
        instrumentor = getattr(importlib.import_module("opentelemetry.instrumentation." + module), name)()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(**options)
            self._done.append(instrumentor)

    def _fastapi(self, module):
        self._instrument("fastapi:FastAPIInstrumentor", module, exclude_spans=_NO_MESSAGES)

    def _starlette(self, module):
        """Adds the middleware to each Starlette. Replacing the class, as upstream does, would put it under FastAPI,
        which is derived from it and has its own."""
        original = module.Starlette.__init__

        @functools.wraps(original)
        def __init__(app, *args, **kwargs):
            original(app, *args, **kwargs)
            if not any(base.__module__.startswith("fastapi.") for base in type(app).__mro__):
                self._try(_add_to_starlette, app)

        module.Starlette.__init__ = __init__

    def _django(self, module):
        """Waits until Django loads its middleware: only then are the application's settings known."""
        original = module.BaseHandler.load_middleware

        @functools.wraps(original)
        def load_middleware(handler, *args, **kwargs):
            self._try(self._instrument, "django:DjangoInstrumentor", module)
            return original(handler, *args, **kwargs)

        module.BaseHandler.load_middleware = load_middleware


def _add_to_starlette(app):
    from opentelemetry.instrumentation import asgi, starlette

    if getattr(app, "_is_instrumented_by_opentelemetry", False):
        return
    app.add_middleware(
        asgi.OpenTelemetryMiddleware,
        excluded_urls=starlette._excluded_urls,
        default_span_details=starlette._get_default_span_details,
        exclude_spans=_NO_MESSAGES,
    )
    app._is_instrumented_by_opentelemetry = True
