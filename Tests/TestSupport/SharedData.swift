import Foundation

/// The folder of real images that some tests use and no repository holds.
///
/// `ONEPASS_SHARED_DATA` names it; otherwise it is `../shared/data` beside the package. Tests that need it are
/// skipped with a reason where it is absent:
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

  /// The file of this name; it may not exist.
  public static func url(_ name: String) -> URL { directory.appendingPathComponent(name) }

  public static func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: url(name).path) }

  /// Why a test that needs the folder does not run.
  public static let reason = "ONEPASS_SHARED_DATA does not name a folder with this file."
}
