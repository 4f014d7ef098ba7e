final class KafkaReader: BrokerReader {
  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws { fatalError() }
  func partitionCount() throws -> Int { fatalError() }
  func kept(_ partition: Int) throws -> KeptMessages { fatalError() }
  func seek(_ partition: Int, after place: PartitionPlace?) throws { fatalError() }
  func poll(_ partition: Int, seconds: Double) throws -> PolledMessages { fatalError() }
  func confirm(_ places: [PartitionPlace?]) -> String? { fatalError() }
  func lag(after place: PartitionPlace?, in partition: Int) -> Int? { fatalError() }
  func close() {}
}
