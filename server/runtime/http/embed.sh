#!/bin/bash
# embed.sh NAME FILE: prints FILE as a C string, as the macro NAME, and the SHA-256 of it as a
# Content-Security-Policy names it, as the macro NAME_HASH.
set -euo pipefail
name=$1
file=$2
echo "#define $name \\"
sed -e 's/\\/\\\\/g; s/"/\\"/g; s/.*/    "&\\n" \\/' "$file"
echo
escaped=$(sha256sum "$file" | cut -c 1-64 | sed 's/../\\x&/g')
# shellcheck disable=SC2059  # the format is the bytes
hash=$(printf "$escaped" | base64)
echo "#define ${name}_HASH \"sha256-$hash\""
