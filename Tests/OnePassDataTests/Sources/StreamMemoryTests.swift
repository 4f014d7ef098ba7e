import Foundation
import OnePassData
import Testing

@Suite("Resident memory of a stream") struct StreamMemoryTests {
  /// 256 MB pass through a named pipe, and the process keeps less than a quarter. The margin is for other tests of this
  /// process, which run at the same time.
  @Test("Resident memory does not grow with the stream")
  func memoryDoesNotGrowWithTheStream() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/pipe.tar"
    #expect(mkfifo(path, 0o600) == 0)
    let samples = 4000
    let writer = Thread {
      guard let pipe = FileHandle(forWritingAtPath: path) else { return }
      let image = [UInt8](repeating: 3, count: 64_000)
      for number in 0..<samples {
        pipe.write(Data(tarEntry("\(number).jpg", image) + tarEntry("\(number).cls", [48])))
      }
      pipe.write(Data(tarBytes([])))
      try? pipe.close()
    }
    writer.start()
    let source = try WebDatasetSource(path)
    var start = 0
    var taken = 0
    while try source.next() != nil {
      taken += 1
      if taken == 200 { start = residentBytes() }
    }
    #expect(taken == samples)
    #expect(residentBytes() - start < 64 << 20)
  }

  private func residentBytes() -> Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
    return (fields.flatMap { Int($0[1]) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
