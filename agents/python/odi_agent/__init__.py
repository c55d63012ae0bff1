"""odi's part of the agent for Python: what starts OpenTelemetry's in an application that does not know of it."""
