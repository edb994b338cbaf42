#!/bin/bash
# Prints a TCP port on 127.0.0.1 that nobody listens on.
while :; do
  p=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
  if ! (: < "/dev/tcp/127.0.0.1/$p") 2> /dev/null; then echo "$p"; exit 0; fi
done
