# WEBrick: a thread per connection. Environment: PORT, BACKEND.
require 'webrick'
require_relative 'common'

server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: ENV['PORT'].to_i, MaxClients: 256,
                                 AccessLog: [], Logger: WEBrick::Log.new(File::NULL))
server.mount_proc('/') do |req, res|
  kind, number = req.path.split('/')[1..2]
  sleep 0.3 if kind == 'poll'
  if kind == 'stream'
    res.chunked = true
    res.body = proc { |out| ticks.each { |tick| out.write(tick) } }
  else
    res.body = kind == 'work' ? work(number) : 'ok'
  end
end
trap('TERM') { server.shutdown }
server.start
