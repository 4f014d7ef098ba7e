import OnePassCore

/// Who connects, and the certificates: the properties of `--broker-config` for brokers that have no configuration format.
struct ConnectionProperties {
  /// Files: the trusted authorities, the client's certificate and its key.
  let ca, certificate, key: String?
  let user, password: String?
  /// The values of the properties that only one broker has.
  let others: [String: String]

  /// - Parameter others: The names of further properties.
  /// - Throws: `OnePassError` (`usage`) for an unknown property.
  init(_ address: BrokerAddress, _ settings: BrokerSettings, others: [String] = []) throws {
    var settings = settings
    ca = settings.take("ca")
    certificate = settings.take("certificate")
    key = settings.take("key")
    user = settings.take("user") ?? address.user
    password = settings.take("password") ?? address.password
    self.others = Dictionary(
      uniqueKeysWithValues: others.compactMap { name in settings.take(name).map { (name, $0) } })
    if let unknown = settings.properties.keys.min() {
      throw OnePassError.unknownBrokerProperty(
        unknown, of: address.kind, known: ["ca", "certificate", "key", "user", "password"] + others)
    }
    if (certificate == nil) != (key == nil) {
      throw OnePassError.invalidBrokerProperty(
        certificate == nil ? "key" : "certificate", reason: "certificate and key require each other")
    }
  }

  /// The properties of Redis.
  init(redis address: BrokerAddress, _ settings: BrokerSettings) throws {
    try self.init(address, settings, others: ["database"])
  }
}
