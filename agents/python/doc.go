// Package python is odi's agent for Python: build.sh makes the folder of the image odi-agent-python from
// pinned wheels, boot/ (what PYTHONPATH names), odi_agent/ (how it starts, what it sends) and overlay/.
// There is no Go in it but the tests, which run the agent in real interpreters and frameworks.
package python
