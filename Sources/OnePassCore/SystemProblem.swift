import Foundation

/// Exhausted limits of the system, among the reasons for which files cannot be used.
package enum SystemProblem {
  /// The remedy for an exhausted limit; `nil` for any other reason.
  /// - Parameters:
  ///   - number: The `errno` of a failed call.
  ///   - folder: The folder that the call was about.
  package static func remedy(_ number: Int32, folder: String) -> String? {
    switch number {
    case EMFILE:
      "the process may have \(openFiles) open files; raise the limit with ulimit -n"
    case ENFILE: "the machine has no more open files; end other programs or raise its limit"
    case ENOSPC: "free space in \(folder)"
    case EDQUOT: "free space in \(folder), or raise the quota of the user"
    default: nil
    }
  }

  /// The `errno` behind an error of Foundation; `nil` if it is unknown.
  package static func number(of error: any Error) -> Int32? {
    if let error = error as? POSIXError { return error.code.rawValue }
    let error = error as NSError
    if error.domain == NSPOSIXErrorDomain { return Int32(error.code) }
    guard let cause = error.userInfo[NSUnderlyingErrorKey] as? any Error else { return nil }
    return number(of: cause)
  }

  /// The folder of a file.
  package static func folder(of path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path
  }

  /// The number of files that the process may open.
  private static var openFiles: Int {
    var limit = rlimit()
    #if os(Linux)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let resource = RLIMIT_NOFILE
    #endif
    return getrlimit(resource, &limit) == 0 ? Int(clamping: limit.rlim_cur) : 0
  }
}
