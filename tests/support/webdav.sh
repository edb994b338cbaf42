#!/bin/bash
# A throw-away WebDAV server (nginx with dav-ext) on 127.0.0.1: webdav.sh start DIR PORT | stop DIR | check
# http on PORT, https on PORT+1 (certificate DIR/cert.pem); user "user", password "pa:ss"; files in DIR/files; 30 MB per upload.
set -eu
modules() { local d; for d in /usr/lib/nginx/modules /usr/lib/*/nginx/modules; do [ ! -e "$d/ngx_http_dav_ext_module.so" ] || { echo "$d"; return 0; }; done; return 1; }
nginx=$(command -v nginx || echo /usr/sbin/nginx)
case ${1:-} in
check)
  if [ -x "$nginx" ] && modules > /dev/null && command -v openssl > /dev/null; then exit 0; fi
  echo "missing: nginx with dav-ext (packages nginx-light libnginx-mod-http-dav-ext openssl)"; exit 1 ;;
start)
  dir=$2 port=$3
  mkdir -p "$dir"/{files,tmp,body}; chmod -R 777 "$dir"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/cert.pem" 2> /dev/null
  printf 'user:%s\n' "$(openssl passwd -apr1 'pa:ss')" > "$dir/passwd"
  cat > "$dir/nginx.conf" << CONF
load_module $(modules)/ngx_http_dav_ext_module.so;
pid $dir/nginx.pid;
error_log $dir/error.log;
worker_processes 2;
events { }
http {
  access_log $dir/access.log;
  client_body_temp_path $dir/body;
  proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp; uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;
  server {
    listen 127.0.0.1:$port;
    listen 127.0.0.1:$((port + 1)) ssl;
    ssl_certificate $dir/cert.pem;
    ssl_certificate_key $dir/key.pem;
    root $dir/files;
    client_max_body_size 30m;
    merge_slashes off;
    auth_basic test;
    auth_basic_user_file $dir/passwd;
    dav_methods PUT DELETE MKCOL COPY MOVE;
    dav_ext_methods PROPFIND OPTIONS;
    dav_access user:rw;
  }
}
CONF
  "$nginx" -c "$dir/nginx.conf" -e "$dir/error.log" -p "$dir"
  for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && exit 0; sleep 0.05; done
  cat "$dir/error.log" >&2; exit 1 ;;
stop) [ ! -e "$2/nginx.pid" ] || kill "$(cat "$2/nginx.pid")" 2> /dev/null || true ;;
*) echo "usage: $0 start DIR PORT | stop DIR | check" >&2; exit 64 ;;
esac
