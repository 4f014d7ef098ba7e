#!/usr/bin/env bash
# Copies the records of the three grids into this folder, and writes their tables and charts. Shortens the paths of the data to
# those of the commands in README.md.
#
#   results/beyond-the-paper/collect.sh ONEPASS CHOOSING FINAL FASHION-MNIST
set -euo pipefail
onepass=$1
here=$(dirname "$0")
collect() {
  local runs=$1 part=$2
  mkdir -p "$here/$part/records"
  for result in "$runs"/*/result.json; do
    name=$(basename "$(dirname "$result")")
    mkdir -p "$here/$part/records/$name"
    sed -E 's#wds:[^"]*/#wds:#' "$result" >"$here/$part/records/$name/result.json"
    cp "$runs/$name/curve.csv" "$here/$part/records/$name/"
  done
  "$onepass" experiment table "$here/$part/records" --format markdown >"$here/$part/tables.md"
  "$onepass" experiment report "$here/$part/records" --output "$here/$part/report.html" \
    --charts "$here/$part/charts" --title "$3"
}
collect "$2" choosing "Beyond the paper: choosing, CIFAR-10, ResNet-20"
collect "$3" final "Beyond the paper: the final comparison, CIFAR-10, ResNet-20"
collect "$4" fashion-mnist "Beyond the paper: the preset on Fashion-MNIST, ResNet-20"
