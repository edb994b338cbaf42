#!/bin/bash
# Every vector of the age corpus through `pgc backup decrypt`: exit status, and hash of all plaintext released.
. tests/support/lib.sh
need_corpus age || finish

# A zlib stream is a deflate stream behind two bytes: given a gzip header, gzip inflates it and only misses its trailer.
inflate() { { printf '\x1f\x8b\x08\0\0\0\0\0\0\0'; tail -c +3; } | gzip -dcq 2> /dev/null; }

vector() {
  local file=$1 name=$2 expect='' payload='' compressed='' skip='' line header=0 want
  local -a keys=() args=()
  : > "$T/pass"
  while IFS= read -r line; do
    header=$((header + ${#line} + 1))
    [ -n "$line" ] || break
    case $line in
    "expect: "*) expect=${line#*: } ;;
    "payload: "*) payload=${line#*: } ;;
    "identity: "*) keys+=("${line#*: }") ;;
    "passphrase: "*) [ -s "$T/pass" ] || printf '%s\n' "${line#*: }" > "$T/pass" ;;
    "compressed: zlib") compressed=1 ;;
    "armored: yes" | "file key: "* | "comment: "*) ;;
    *) skip="unknown key '$line'" ;;
    esac
  done < <(sed '/^$/q' "$file" | tr -d '\0')
  [ -z "$skip" ] || { skip "$name" "$skip"; return; }
  tail -c +$((header + 1)) "$file" > "$T/input"
  [ -z "$compressed" ] || { inflate < "$T/input" > "$T/inflated"; mv "$T/inflated" "$T/input"; }
  if [ ${#keys[@]} -eq 0 ] && [ ! -s "$T/pass" ]; then keys=("$any_key"); fi
  if [ ${#keys[@]} -gt 0 ]; then printf '%s\n' "${keys[@]}" > "$T/keys"; args+=(--identity-file "$T/keys"); fi
  [ ! -s "$T/pass" ] || args+=(--passphrase-file "$T/pass")
  pgc backup decrypt "${args[@]}" < "$T/input" > "$T/plain" 2> "$T/stderr"
  RC=$?
  if [[ ${keys[*]} == *AGE-SECRET-KEY-PQ-* ]] && [ "$RC" = 78 ]; then
    like "$name is refused clearly" "$(cat "$T/stderr")" 'post-quantum keys need OpenSSL 3.5'
    skip "$name" "post-quantum keys need OpenSSL 3.5"
    return
  fi
  case $expect in
  success) want=0 ;;
  "no match") want=77 ;;
  "header failure" | "armor failure" | "payload failure" | "HMAC failure") want=65 ;;
  *) fail "$name" "expectation '$expect' is unknown"; return ;;
  esac
  if [ "$RC" != "$want" ]; then fail "$name ($expect)" "exit status $RC, wanted $want" "$(cat "$T/stderr")"; return; fi
  is "$name ($expect)" "$(sha256sum < "$T/plain" | cut -d' ' -f1)" "${payload:-$empty}"
}

empty=$(sha256sum < /dev/null | cut -d' ' -f1)
any_key=$(pgc backup keygen 2> /dev/null | tail -n 1)
for file in "$CORPUS"/age/*; do vector "$file" "$(basename "$file")"; done
finish
