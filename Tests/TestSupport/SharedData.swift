import Foundation

/// The folder of real images for some tests, which is not in the repository.
///
/// `ONEPASS_SHARED_DATA` is its path; by default it is `../shared/data` beside the package. Tests that need it are skipped with a
/// reason if it is absent:
///
/// ```swift
/// @Test(.enabled(if: SharedData.has("imagenet-sample-200.tar"), "\(SharedData.reason)"))
/// ```
public enum SharedData {
  public static let directory: URL = {
    if let path = ProcessInfo.processInfo.environment["ONEPASS_SHARED_DATA"], !path.isEmpty {
      return URL(fileURLWithPath: path, isDirectory: true)
    }
    // This file is Tests/TestSupport/SharedData.swift.
    let package = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return package.appendingPathComponent("../shared/data", isDirectory: true).standardizedFileURL
  }()

  /// Returns the path of a file, which may not exist.
  public static func url(_ name: String) -> URL { directory.appendingPathComponent(name) }

  public static func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: url(name).path) }

  /// The reason why a test that needs the folder is skipped.
  public static let reason = "ONEPASS_SHARED_DATA does not name a folder with this file."
}
