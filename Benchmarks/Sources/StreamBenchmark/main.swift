import Foundation
import OnePassBrokers
import OnePassCore
import OnePassData

// Reads examples of a broker's stream without training, and prints the rate.
//
//   StreamBenchmark URL EXAMPLES [FORM]   FORM as in --record
//
// Output: after each tenth, the number of examples and the resident bytes of the process (Linux); then the examples and bytes per
// second, and the peak of the fetched bytes.

func residentBytes() -> Int {
  let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
  return (pages.flatMap { Int($0[1]) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

let arguments = CommandLine.arguments
guard arguments.count >= 3, let count = Int(arguments[2]) else {
  FileHandle.standardError.write(Data("usage: StreamBenchmark URL EXAMPLES [FORM]\n".utf8))
  exit(64)
}
var options = LiveOptions()
if arguments.count > 3, let form = MessageForm(rawValue: arguments[3]) { options.form = form }
let request = SourceRequest(
  arguments[1], seed: 1, classNames: nil, subjectKey: nil, classCount: 1_000, labelKey: nil, live: options)
let source = try SourceRegistry.open(arguments[1], request)
let start = ContinuousClock.now
var bytes = 0
for position in 1...count {
  guard let example = try source.next() else { break }
  bytes += example.image.byteCount
  // As a run does after each step.
  if position % 128 == 0, let live = source as? LiveSource { _ = live.settle(upTo: position) }
  if position % max(1, count / 10) == 0 {
    print(position, residentBytes())
  }
}
let seconds = (ContinuousClock.now - start) / .seconds(1)
print(Double(count) / seconds, Double(bytes) / seconds, (source as? LiveSource)?.peakFetchedBytes ?? 0)
