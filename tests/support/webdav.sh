#!/bin/bash
# A throw-away WebDAV server on 127.0.0.1: webdav.sh check KIND | start KIND DIR PORT | stop DIR; KIND is nginx (with dav-ext) or apache
# http on PORT, https on PORT+1 (certificate DIR/cert.pem); user "user", password "pa:ss"; files in DIR/files; 30 MB per upload.
# apache also: PORT+2 is http with digest authentication.
set -eu
modules() { local d; for d in /usr/lib/nginx/modules /usr/lib/*/nginx/modules; do [ ! -e "$d/ngx_http_dav_ext_module.so" ] || { echo "$d"; return 0; }; done; return 1; }
nginx=$(command -v nginx || echo /usr/sbin/nginx)
apache=$(command -v apache2 || echo /usr/sbin/apache2)
apache_modules=/usr/lib/apache2/modules

check_nginx() {
  if [ -x "$nginx" ] && modules > /dev/null && command -v openssl > /dev/null; then exit 0; fi
  echo "missing: nginx with dav-ext (packages nginx-light libnginx-mod-http-dav-ext openssl)"; exit 1
}
check_apache() {
  if [ -x "$apache" ] && [ -e "$apache_modules/mod_dav_fs.so" ] && command -v openssl > /dev/null; then exit 0; fi
  echo "missing: Apache with mod_dav (packages apache2-bin openssl)"; exit 1
}

start_nginx() { # DIR PORT
  printf 'user:%s\n' "$(openssl passwd -apr1 'pa:ss')" > "$1/passwd"
  cat > "$1/nginx.conf" << CONF
load_module $(modules)/ngx_http_dav_ext_module.so;
pid $1/server.pid;
error_log $1/error.log;
worker_processes 2;
events { }
http {
  access_log $1/access.log;
  client_body_temp_path $1/body;
  proxy_temp_path $1/tmp; fastcgi_temp_path $1/tmp; uwsgi_temp_path $1/tmp; scgi_temp_path $1/tmp;
  server {
    listen 127.0.0.1:$2;
    listen 127.0.0.1:$(($2 + 1)) ssl;
    ssl_certificate $1/cert.pem;
    ssl_certificate_key $1/key.pem;
    root $1/files;
    client_max_body_size 30m;
    merge_slashes off;
    auth_basic test;
    auth_basic_user_file $1/passwd;
    dav_methods PUT DELETE MKCOL COPY MOVE;
    dav_ext_methods PROPFIND OPTIONS;
    dav_access user:rw;
  }
}
CONF
  "$nginx" -c "$1/nginx.conf" -e "$1/error.log" -p "$1"
}

start_apache() { # DIR PORT
  local m user=''
  printf 'user:%s\n' "$(openssl passwd -apr1 'pa:ss')" > "$1/passwd"
  printf 'user:test:%s\n' "$(printf 'user:test:pa:ss' | md5sum | cut -d' ' -f1)" > "$1/digest"
  [ "$(id -u)" != 0 ] || user=$'User www-data\nGroup www-data'
  {
    for m in mpm_event authn_core authn_file authz_core authz_user auth_basic auth_digest dav dav_fs socache_shmcb ssl; do
      echo "LoadModule ${m}_module $apache_modules/mod_$m.so"
    done
    cat << CONF
$user
ServerName 127.0.0.1
ServerRoot $1
DefaultRuntimeDir $1/tmp
PidFile $1/server.pid
ErrorLog $1/error.log
DocumentRoot $1/files
DavLockDB $1/tmp/locks
Listen 127.0.0.1:$2
Listen 127.0.0.1:$(($2 + 1))
Listen 127.0.0.1:$(($2 + 2))
LimitRequestBody 31457280
KeepAlive On
MaxKeepAliveRequests 0
<Location "/">
  Dav On
  AuthType Basic
  AuthName test
  AuthUserFile $1/passwd
  Require valid-user
</Location>
<VirtualHost 127.0.0.1:$(($2 + 1))>
  SSLEngine on
  SSLCertificateFile $1/cert.pem
  SSLCertificateKeyFile $1/key.pem
</VirtualHost>
<VirtualHost 127.0.0.1:$(($2 + 2))>
  <Location "/">
    AuthType Digest
    AuthDigestProvider file
    AuthUserFile $1/digest
  </Location>
</VirtualHost>
CONF
  } > "$1/apache.conf"
  "$apache" -f "$1/apache.conf" -k start
}

case ${1:-}:${2:-} in
check:nginx | check:apache) "check_$2" ;;
start:nginx | start:apache)
  dir=$3 port=$4
  mkdir -p "$dir"/{files,tmp,body}; chmod -R 777 "$dir"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/cert.pem" 2> /dev/null
  "start_$2" "$dir" "$port"
  for _ in $(seq 200); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && exit 0; sleep 0.05; done
  cat "$dir/error.log" >&2; exit 1 ;;
stop:*)
  [ ! -e "$2/server.pid" ] || kill "$(cat "$2/server.pid")" 2> /dev/null || true ;;
*) echo "usage: $0 check KIND | start KIND DIR PORT | stop DIR" >&2; exit 64 ;;
esac
