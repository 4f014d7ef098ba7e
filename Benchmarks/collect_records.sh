#!/usr/bin/env bash
# Copies the records of an experiment (result.json and curve.csv of every run, without checkpoints) to the folder of results,
# and writes the tables, the report and its charts there.
#
#   Benchmarks/collect_records.sh ONEPASS RUNS DESTINATION TITLE
#
# Records in DESTINATION that are missing in RUNS are first copied to RUNS, so that a grid resumes from the documented records.
set -euo pipefail
onepass=$1 runs=$2 destination=$3 title=$4

mkdir -p "$runs" "$destination/records"
for record in "$destination"/records/*/; do
  name=$(basename "$record")
  if [[ -f $record/result.json && ! -e $runs/$name/result.json ]]; then
    mkdir -p "$runs/$name"
    cp "$record"/* "$runs/$name/"
  fi
done
for result in "$runs"/*/result.json; do
  name=$(basename "$(dirname "$result")")
  mkdir -p "$destination/records/$name"
  cp "$result" "$runs/$name/curve.csv" "$destination/records/$name/"
done
"$onepass" experiment table "$destination/records" --format markdown >"$destination/tables.md"
"$onepass" experiment table "$destination/records" --format json >"$destination/tables.json"
"$onepass" experiment report "$destination/records" --output "$destination/report.html" \
  --charts "$destination/charts" --title "$title"
