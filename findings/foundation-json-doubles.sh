#!/usr/bin/env bash
# Swift 6.3.1 on Linux (swift-corelibs-foundation)
#
# JSONSerialization reads a number with a fraction as an NSDecimalNumber. Its doubleValue is often a neighbour of the nearest
# double, so numbers that Swift wrote in its shortest form do not return. JSONDecoder and Double(_:) read the same text exactly.
#
# Output seen:
#   text 0.7774254679679871: JSONSerialization 0.7774254679679873, JSONDecoder 0.7774254679679871
#   of the square roots of 1 to 20000, not read as written: JSONSerialization 6477, JSONDecoder 0
set -euo pipefail
command -v swiftc >/dev/null || { echo "swiftc 6.3.1 is required; see https://www.swift.org/install" >&2; exit 69; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > show.swift <<'SWIFT'
import Foundation

func serialized(_ text: String) throws -> Double {
  let numbers = try JSONSerialization.jsonObject(with: Data("[\(text)]".utf8)) as? [NSNumber]
  return numbers?.first?.doubleValue ?? .nan
}
func decoded(_ text: String) throws -> Double {
  try JSONDecoder().decode([Double].self, from: Data("[\(text)]".utf8))[0]
}

let text = "0.7774254679679871"
print("text \(text): JSONSerialization \(try serialized(text)), JSONDecoder \(try decoded(text))")
var (bySerialization, byDecoder) = (0, 0)
for number in 1...20_000 {
  let value = Double(number).squareRoot()
  if try serialized("\(value)") != value { bySerialization += 1 }
  if try decoded("\(value)") != value { byDecoder += 1 }
}
print(
  "of the square roots of 1 to 20000, not read as written: JSONSerialization \(bySerialization), JSONDecoder \(byDecoder)")
exit(bySerialization > 0 && byDecoder == 0 ? 0 : 1)
SWIFT
swiftc -O show.swift -o show
./show || { echo "the behaviour has changed" >&2; exit 1; }
