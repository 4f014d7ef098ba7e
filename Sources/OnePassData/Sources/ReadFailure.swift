/// Why a file could not be read further. The caller adds the file's name; see ``error(in:at:)``.
struct ReadFailure: Error {
  enum Kind { case io, corrupt, tooLarge, unsupported }
  let kind: Kind
  let detail: String
  /// What to do about an `io` or `unsupported` failure. The other kinds have a fixed remedy.
  let remedy: String
}
