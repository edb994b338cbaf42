#!/bin/bash
# What the settings of an S3 store do to its requests, as the server sees them; where keys come from; proxies and certificates.
# shellcheck source=tests/support/lib.sh
. tests/support/lib.sh
command -v python3 > /dev/null || { skip "fault server" "python3 is missing"; finish; }
# shellcheck source=tests/support/fault-s3.sh
. tests/support/fault-s3.sh
PROXY=''
trap 'stop; [ -z "$PROXY" ] || kill "$PROXY"' EXIT
good() { is "$1" "$(probe 'put k 100000' "${2:-}")" 'result OK'; }

# headers that belong to the object, on both ways of writing it
serve
good "storage class" 'storage_class=GLACIER_IR'
is "storage class: multipart" "$(seen create x-amz-storage-class)" GLACIER_IR
probe 'put s 10' 'storage_class=GLACIER_IR' > "$T/put"
is "storage class: small" "$(seen put x-amz-storage-class)" GLACIER_IR
good "server-side encryption" 'sse=AES256'
is "server-side encryption: its header" "$(seen create x-amz-server-side-encryption x-amz-server-side-encryption-aws-kms-key-id)" 'AES256 -'
is "server-side encryption: not on parts" "$(seen part x-amz-server-side-encryption)" -
good "KMS" 'sse_kms_key=arn:aws:kms:eu-1:1:key/k'
is "KMS: its headers" "$(seen create x-amz-server-side-encryption x-amz-server-side-encryption-aws-kms-key-id)" 'aws:kms arn:aws:kms:eu-1:1:key/k'
serve lock
good "object lock" 'lock_mode=COMPLIANCE&lock_days=3&legal_hold=yes'
is "object lock: mode and hold" "$(seen create x-amz-object-lock-mode x-amz-object-lock-legal-hold)" 'COMPLIANCE ON'
until_s=$(date -d "$(seen create x-amz-object-lock-retain-until-date)" +%s)
left=$((until_s - $(date +%s) - 3 * 86400))
if [ "$left" -gt -600 ] && [ "$left" -le 0 ]; then pass "object lock: three days"; else fail "object lock: three days" "$left"; fi
is "object lock: every part has a checksum" "$(seen part content-md5 x-amz-checksum-sha256 | awk '{ print $1, length($2) }')" '- 44'
good "object lock without checksums" 'lock_mode=GOVERNANCE&lock_days=1&checksum=no'
is "object lock without checksums: Content-MD5" "$(seen part content-md5 x-amz-checksum-sha256 | awk '{ print length($1), $2 }')" '24 -'
good "no checksums" 'checksum=no'
is "no checksums: neither header" "$(seen part content-md5 x-amz-checksum-sha256)" '- -'
good "checksums: only hold" 'legal_hold=yes'
is "legal hold alone" "$(seen create x-amz-object-lock-mode x-amz-object-lock-legal-hold)" '- ON'

# a key that the server gets with every request about bytes
serve customer-key
PGC_S3_CUSTOMER_KEY=$(head -c 32 /dev/zero | base64)
export PGC_S3_CUSTOMER_KEY
good "customer key"
is "customer key: sent with parts" "$(seen part x-amz-server-side-encryption-customer-algorithm x-amz-server-side-encryption-customer-key-md5)" \
  "AES256 $(head -c 32 /dev/zero | openssl md5 -binary | base64)"
is "customer key: read back" "$(probe 'get k 100000')" 'result OK'
probe 'put s 10' > "$T/put"
is "customer key: small, read back" "$(probe 'get s 10')" 'result OK'
like "without the key" "$(env -u PGC_S3_CUSTOMER_KEY PGC_PROBE_URL="$URL" PGC_PROBE='get k 100000' "$B/tests/unit" store_probe 2> "$T/probe.err")" 'result IO: .*customer key'
like "a key of the wrong length" "$(PGC_S3_CUSTOMER_KEY=AAAA probe 'put k 1')" '^result CONFIG: .*base64 of 32 bytes'
like "a key over plain http" "$(PGC_PROBE_URL="s3://bkt/p?endpoint=http://s3.example.org" PGC_PROBE='put k 1' "$B/tests/unit" store_probe 2> "$T/probe.err")" 'result USAGE: .*must be https'
serve bad-signature
run env AWS_SESSION_TOKEN=secret-token pgc-backup doctor --store "$URL"
like "what is shown after a wrong signature hides token and key" "$OUT" 'x-amz-security-token:\(hidden\)'
like "the string to sign is shown" "$OUT" 'string to sign as the server computed it:.AWS4-HMAC-SHA256'
unlike "neither token nor key" "$OUT$ERR" 'secret-token|AAAAAAAAAAAAAAAA'
unset PGC_S3_CUSTOMER_KEY

# providers
serve
good "provider r2" 'provider=r2&region=us-east-1'
is "provider r2: no checksum header" "$(seen part x-amz-checksum-sha256)" -
good "provider minio" 'provider=minio'
is "provider minio: checksum header" "$(seen part x-amz-checksum-sha256 | awk '{ print length($1) }')" 44
VIRTUAL="s3://bkt/p?endpoint=http://localhost:$PORT&style=virtual&$OPTIONS" # *.localhost is this machine without asking anybody
is "virtual-host style" "$(URL=$VIRTUAL probe 'put k 300000')" 'result OK'
is "virtual-host style: list" "$(URL=$VIRTUAL probe 'list k' | xargs)" 'object k 300000 result OK'
is "virtual-host style: the host" "$(seen create host)" "bkt.localhost:$PORT"

# proxies; the first server takes the path of an absolute request line, as a proxy does
serve proxy
is "proxy" "$(http_proxy="http://127.0.0.1:$PORT" URL="s3://bkt/p?endpoint=http://s3.invalid&$OPTIONS" probe 'put k 300000')" 'result OK'
is "no_proxy" "$(http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 probe 'put k 10')" 'result OK'
like "a proxy that is not there" "$(http_proxy=http://127.0.0.1:1 probe 'put k 10' attempts=1)" '^result UNAVAILABLE: '
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext 'subjectAltName=IP:127.0.0.1,DNS:s3.example.org' -keyout "$T/key.pem" -out "$T/cert.pem" 2> /dev/null
SCHEME=https
serve "tls:$T/cert.pem:$T/key.pem"
like "a private authority, unknown" "$(probe 'put k 10')" '^result TLS: .*PGC_CA_FILE'
is "a private authority" "$(PGC_CA_FILE=$T/cert.pem probe 'put k 300000')" 'result OK'
is "a private authority, named as AWS does" "$(AWS_CA_BUNDLE=$T/cert.pem probe 'get k 300000')" 'result OK'
python3 tests/support/connect-proxy.py "$T/proxy" "$T/proxy.log" &
PROXY=$!
for _ in $(seq 200); do [ -s "$T/proxy" ] && break; sleep 0.05; done
export PGC_CA_FILE=$T/cert.pem
is "https through a proxy" "$(https_proxy="http://127.0.0.1:$(cat "$T/proxy")" URL="s3://bkt/p?endpoint=https://s3.example.org:$PORT&$OPTIONS" probe 'put k 300000')" 'result OK'
like "https through a proxy: by CONNECT" "$(sort -u "$T/proxy.log")" "^s3.example.org:$PORT\$"
is "https past the proxy" "$(https_proxy=http://127.0.0.1:1 NO_PROXY=127.0.0.1 probe 'get k 300000')" 'result OK'
unset PGC_CA_FILE
SCHEME=http

# keys that end, and where they come from
serve token:T1
like "a wrong session token" "$(AWS_SESSION_TOKEN=old probe 'put s 10')" '^result (IO|AUTH): .*ExpiredToken'
is "a session token" "$(AWS_SESSION_TOKEN=T1 probe 'put s 10')" 'result OK'
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
sources() { # the endpoints of the server now running
  export AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:$PORT" AWS_ENDPOINT_URL_STS="http://127.0.0.1:$PORT/sts"
  CONTAINER="http://127.0.0.1:$PORT/container"
}
sources
is "instance metadata" "$(AWS_EC2_METADATA_DISABLED=false probe 'put s 10')" 'result OK'
is "instance metadata, never through a proxy" "$(http_proxy=http://127.0.0.1:1 AWS_EC2_METADATA_DISABLED=false URL="${URL/http:/http:}" probe 'put s 10' 'attempts=1' | grep -c 'no S3 credentials')" 0
like "instance metadata switched off" "$(probe 'put s 10')" '^result AUTH: no S3 credentials'
printf 'container/+=\n' > "$T/container-token"
is "the container's endpoint" "$(AWS_CONTAINER_CREDENTIALS_FULL_URI=$CONTAINER AWS_CONTAINER_AUTHORIZATION_TOKEN=container/+= probe 'put s 10')" 'result OK'
is "the container's endpoint, token file" "$(AWS_CONTAINER_CREDENTIALS_FULL_URI=$CONTAINER AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=$T/container-token probe 'put s 10')" 'result OK'
like "the container's endpoint, wrong token" "$(AWS_CONTAINER_CREDENTIALS_FULL_URI=$CONTAINER AWS_CONTAINER_AUTHORIZATION_TOKEN=no probe 'put s 10')" "^result AUTH: .*container's credentials endpoint: status 401"
like "keys from somebody else over http" "$(AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/x probe 'put s 10')" '^result CONFIG: .*neither https nor an address of this machine'
printf 'jwt/+=1' > "$T/jwt"
web() { AWS_WEB_IDENTITY_TOKEN_FILE="$T/jwt" AWS_ROLE_ARN="${2:-arn:aws:iam::1:role/x}" probe "$1"; }
is "web identity" "$(web 'put s 10')" 'result OK'
like "web identity, wrong role" "$(web 'put s 10' arn:aws:iam::1:role/y)" '^result AUTH: .*cannot assume the role .arn:aws:iam::1:role/y. by web identity: status 403: not this role'
like "web identity without a role" "$(AWS_WEB_IDENTITY_TOKEN_FILE=$T/jwt probe 'put s 10')" '^result CONFIG: .*AWS_ROLE_ARN is not'

# the shared files
mkdir -p "$T/.aws"
cat > "$T/.aws/credentials" << 'END'
[default]
aws_access_key_id = wrong
aws_secret_access_key = wrong
[keys]
aws_access_key_id = AK
aws_secret_access_key = SK
aws_session_token = T1
END
cat > "$T/print keys" << 'END'
#!/bin/sh
[ "$1" = 'two words' ] || exit 3
echo '{"Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "SK", "SessionToken": "T1"}'
END
chmod +x "$T/print keys"
cat > "$T/.aws/config" << END
[profile role]
role_arn = arn:aws:iam::1:role/x
source_profile = keys
external_id = ext
role_session_name = nightly
region = us-east-1
[profile web]
role_arn = arn:aws:iam::1:role/x
web_identity_token_file = $T/jwt
[profile metadata-role]
role_arn = arn:aws:iam::1:role/x
credential_source = Ec2InstanceMetadata
external_id = ext
role_session_name = nightly
[profile process]
credential_process = "$T/print keys" 'two words'
[profile failing]
credential_process = "$T/print keys" other
[profile circle]
role_arn = arn:aws:iam::1:role/x
source_profile = circle
[profile person]
role_arn = arn:aws:iam::1:role/x
source_profile = keys
mfa_serial = 1
[profile sso]
sso_session = corp
END
as() { AWS_PROFILE=$1 probe 'put s 10'; }
for profile in keys role web process; do is "profile: $profile" "$(as $profile)" 'result OK'; done
is "profile: a role by the instance's keys" "$(AWS_EC2_METADATA_DISABLED=false as metadata-role)" 'result OK'
like "profile: no such" "$(as none)" "^result CONFIG: AWS profile 'none' is in neither shared file"
like "profile: a circle" "$(as circle)" '^result CONFIG: .*goes round in circles'
like "profile: a person is wanted" "$(as person)" '^result CONFIG: .*mfa_serial'
like "profile: sso" "$(as sso)" '^result CONFIG: .*credential_process'
like "profile: a program that fails" "$(as failing)" '^result CHILD: .*exited with status 3'
# each that is configured before the next one wins: environment, web identity, profile, container, instance
is "order: environment first" "$(AWS_ACCESS_KEY_ID=AK AWS_SECRET_ACCESS_KEY=SK AWS_SESSION_TOKEN=T1 AWS_PROFILE=default web 'put s 10')" 'result OK'
is "order: web identity before the profile" "$(web 'put s 10')" 'result OK'
like "order: the profile before the container" "$(AWS_CONTAINER_CREDENTIALS_FULL_URI=$CONTAINER AWS_CONTAINER_AUTHORIZATION_TOKEN=container/+= probe 'put s 10')" 'InvalidAccessKeyId'
rm "$T/.aws/credentials"
is "order: the container before the instance" "$(AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1 AWS_CONTAINER_CREDENTIALS_FULL_URI=$CONTAINER AWS_CONTAINER_AUTHORIZATION_TOKEN=container/+= probe 'put s 10')" 'result OK'

# keys that end while an upload is under way
serve rotate:4; sources
is "keys end in the middle" "$(AWS_EC2_METADATA_DISABLED=false probe 'put k 500000')" 'result OK'
is "keys end in the middle: the object is whole" "$(state)" "{'p/k': 500000} []"
serve rotate:4; sources
like "keys end that nobody renews" "$(AWS_ACCESS_KEY_ID=AK AWS_SECRET_ACCESS_KEY=SK AWS_SESSION_TOKEN=T1 probe 'put k 500000')" '^result (IO|AUTH): .*ExpiredToken'
is "keys end that nobody renews: nothing is visible" "$(state | cut -d' ' -f1)" '{}'
serve expires:120; sources
is "keys that end soon" "$(web 'put k 300000')" 'result OK'
like "keys that end soon are renewed before" "$(counter sources)" '^([3-9]|[0-9]{2,})$'
printf 'jwt/+=1' > "$T/jwt"
serve expires:120 slow:0.3; sources
( PGC_PROBE_URL=$URL PGC_PROBE='put k 2000000' AWS_WEB_IDENTITY_TOKEN_FILE=$T/jwt AWS_ROLE_ARN=arn:aws:iam::1:role/x "$B/tests/unit" store_probe ) > "$T/rotated.out" 2>&1 &
pid=$!
for _ in $(seq 200); do [ "$(counter sources)" -ge 1 ] && break; sleep 0.05; done
printf 'jwt/+=2' > "$T/jwt.new"; mv "$T/jwt.new" "$T/jwt"
wait "$pid"
like "the token file is read anew" "$(cat "$T/rotated.out") $(ask _state)" 'result OK.*jwt/\+=1.*jwt/\+=2'
serve expires:120 sources-fail:1; sources
is "keys that end soon and cannot be renewed still serve" "$(web 'put k 300000')" 'result OK'
like "keys that cannot be renewed: is told" "$(cat "$T/probe.err")" 'could not be renewed; going on with them'
serve silent; sources
like "instance metadata that does not answer" "$(AWS_EC2_METADATA_DISABLED=false probe 'put s 10')" '^result AUTH: no S3 credentials.*its hop limit must be 2'
finish
