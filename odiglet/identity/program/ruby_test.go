package program

import "testing"

func TestRuby(t *testing.T) {
	const rb = "/usr/bin/ruby3.1"
	shop := in("/srv/shop")
	check(t, []row{
		{rb, "ruby shop.rb", nil, "shop"},
		{rb, "ruby -r bundler/setup shop.rb", nil, "shop"},
		{rb, "ruby -rbundler/setup -I lib -Ilib2 -W0 -w shop.rb", nil, "shop"},
		{rb, "ruby --yjit --encoding utf-8 -C /srv shop.rb", nil, "shop"},
		{rb, "ruby -W:no-deprecated shop.rb", nil, "shop"},
		{rb, "ruby -wI lib shop.rb", nil, "shop"},
		{rb, "ruby -e 1", nil, "ruby3.1"},
		{rb, "ruby app.rb", shop, "shop"},
		{rb, "ruby /usr/bin/bundle exec puma -C config/puma.rb", shop, "shop"},
		{rb, "ruby /usr/bin/bundle exec puma", nil, "puma"},
		{rb, "ruby /usr/bin/bundle exec ruby worker.rb", nil, "worker"},
		{rb, "ruby /usr/bin/puma --tag orders -p 80", shop, "orders"},
		{rb, "puma~5.6.5~(tcp://0.0.0.0:9292)~[shop]", nil, "shop"},
		{rb, "puma:~cluster~worker~0:~123~[shop]", nil, "shop"},
		{rb, "puma~5.6.5~(tcp://0.0.0.0:9292)", nil, "puma"},
		{rb, "ruby bin/rails server -p 80", shop, "shop"},
		{rb, "ruby bin/rails s", nil, "rails"},
		{rb, "ruby /usr/bin/rackup -p 80 config.ru", shop, "shop"},
		{rb, "ruby /usr/bin/rackup /srv/orders/config.ru", in("/"), "orders"},
		{rb, "sidekiq~7.2.0~shop~[0~of~5~busy]", nil, "shop"},
		{rb, "unicorn~master~-c~config.rb", shop, "shop"},
	})
}
