<?php
// One question before the answer and, now and then, one behind it. Environment: BACKEND.
[, $kind, $number] = explode('/', parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$backend = getenv('BACKEND');
if ($kind === 'stream') {
    for ($i = 0; $i < 200 && !connection_aborted(); $i++) {
        usleep(50000);
        echo "data: tick\n\n";
        @ob_flush();
        flush();
    }
    return;
}
if ($kind === 'poll') {
    usleep(300000);
}
$out = 'ok';
if ($kind === 'work' && $number % 2) {
    $out = file_get_contents("$backend/dep/$number");
} elseif ($kind === 'work') {
    $curl = curl_init("$backend/dep/$number");
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    $out = curl_exec($curl);
}
header('Content-Length: ' . strlen($out));
echo $out;
if ($kind === 'work' && $number % 10 === 0) {
    @ob_flush();
    flush();
    if (function_exists('fastcgi_finish_request')) {
        fastcgi_finish_request();
    }
    file_get_contents("$backend/bg/after/$number");
}
