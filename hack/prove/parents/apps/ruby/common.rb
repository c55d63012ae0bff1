# What both Ruby applications do: one question per request, and work of their own all the time. Environment: BACKEND.
require 'net/http'
require 'uri'

BACKEND = URI(ENV['BACKEND'])
RETRIES = Queue.new
NUMBERS = Mutex.new
$turn = 0

def ask(path)
  http = Thread.current[:http] ||= Net::HTTP.start(BACKEND.host, BACKEND.port)
  http.get(path).body
end

def every(path, pause)
  Thread.new { loop { sleep pause; ask(path) } }
end

every('/bg/timer/own', 0.005)
every('/bg/health/own', 0.02)
Thread.new { loop { ask("/bg/retry/#{RETRIES.pop}") } }

def work(number)
  turn = NUMBERS.synchronize { ($turn += 1) - 1 }
  every("/bg/flush/#{number}", 0.004) if turn.zero?
  RETRIES << number if (turn % 10).zero?
  Thread.new { ask("/bg/refresh/#{number}") } if (turn % 25).zero?
  ask("/dep/#{number}")
end

def ticks
  Enumerator.new { |out| loop { sleep 0.05; out << "data: tick\n\n" } }
end
