# Puma: a pool of threads behind a reactor. Environment: BACKEND.
require_relative 'common'

run(lambda do |env|
  kind, number = env['PATH_INFO'].split('/')[1..2]
  sleep 0.3 if kind == 'poll'
  next [200, {}, ticks] if kind == 'stream'

  [200, {}, [kind == 'work' ? work(number) : 'ok']]
end)
