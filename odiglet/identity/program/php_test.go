package program

import "testing"

func TestPHP(t *testing.T) {
	const cli = "/usr/bin/php8.2"
	check(t, []row{
		{cli, "php worker.php", nil, "worker"},
		{cli, "php -d memory_limit=1G -n worker.php", nil, "worker"},
		{cli, "php -dmemory_limit=1G -c /etc/php.ini -f worker.php", nil, "worker"},
		{cli, "php --define a=b --file worker.php", nil, "worker"},
		{cli, "php -S 127.0.0.1:8080 -t /srv /srv/router.php", nil, "router"},
		{cli, "php -S 127.0.0.1:8080 cart.php", nil, "cart"},
		{cli, "php -S 127.0.0.1:8080", nil, "php8.2"},
		{cli, "php -S 127.0.0.1:8080", in("/home/u/shop"), "shop"},
		{cli, "php -S :80 -t public", in("/home/u/shop"), "shop"},
		{cli, "php -S :80 -t public public/index.php", in("/home/u/shop"), "shop"},
		{cli, "php artisan serve", in("/home/u/shop"), "shop"},
		{cli, "php artisan serve", nil, "artisan"},
		{cli, "php bin/console messenger:consume async", in("/srv/shop"), "shop"},
		{cli, "php -r 1;", nil, "php8.2"},
		{"/usr/sbin/php-fpm8.2", "php-fpm:~pool~www", nil, "php-fpm"},
		{"/usr/local/sbin/php-fpm", "php-fpm -F", nil, "php-fpm"},
	})
}
