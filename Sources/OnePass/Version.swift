/// The version of this package.
public let onePassVersion = "0.1.0"
