import Synchronization

/// The version of this package.
public let onePassVersion = "0.1.0"

/// The commit that a program was built from.
package struct SourceRevision: Hashable, Sendable {
  /// The full hash.
  package var commit: String
  /// Whether tracked files differed from it.
  package var isModified: Bool

  /// Creates a revision.
  package init(commit: String, isModified: Bool) {
    self.commit = commit
    self.isModified = isModified
  }

  private static let program = Mutex<SourceRevision?>(nil)

  /// The revision of the running program, which sets it at its start; `nil` if it is unknown.
  package static var current: SourceRevision? {
    get { program.withLock { $0 } }
    set { program.withLock { $0 = newValue } }
  }
}

extension SourceRevision {
  /// A version with its commit, if that is known, as `0.1.0 (3f2a91c07be4, modified)`.
  package static func describe(version: String, commit: String?, isModified: Bool?) -> String {
    guard let commit else { return version }
    return "\(version) (\(commit.prefix(12))\(isModified == true ? ", modified" : ""))"
  }
}
