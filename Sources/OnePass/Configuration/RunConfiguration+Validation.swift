import OnePassCore

extension RunConfiguration {
  /// Refuses options that cannot mean anything, by themselves or together, before any data is touched.
  /// - Throws: `OnePassError` (`usage`) naming the first such option.
  public func validate() throws {
    try validateValues()
    try validateAugmentation()
    try validateStoredForm()
  }
}
