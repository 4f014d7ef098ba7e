import OnePassCore

/// Errors in the records of finished runs.
extension OnePassError {
  static func noRecords(
    in folders: [String], unreadable: Int, firstReason: String?
  ) -> OnePassError {
    let damage = firstReason.map { " Unreadable records: \(unreadable); the first: \($0)" } ?? ""
    return OnePassError(
      .io,
      "\(folders.joined(separator: ", ")): no finished runs found; pass a folder written by "
        + "`onepass experiment run --output`.\(damage)")
  }

  static func unreadableRecordFolder(_ path: String) -> OnePassError {
    OnePassError(
      .io,
      "\(path): the folder cannot be read; pass a folder written by `onepass experiment run --output`.")
  }

  static func duplicateRecord(of first: String) -> OnePassError {
    OnePassError(.badData, "same options and seed as \(first).")
  }

  /// - Parameters:
  ///   - field: A key of `result.json` with those around it: `storage.exampleFraction`.
  ///   - folder: The folder of the run.
  static func impossibleFigure(_ field: String, _ value: String, in folder: String) -> OnePassError {
    OnePassError(.badData, "\(folder)/result.json: \(field) cannot be \(value); the record is damaged.")
  }

  static func unreadableCurve(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path): cannot be read.", cause: cause)
  }

  static func damagedCurve(_ path: String, line: Int) -> OnePassError {
    OnePassError(.badData, "\(path): line \(line) is damaged.")
  }
}
