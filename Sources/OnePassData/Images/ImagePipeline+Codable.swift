extension ImagePipeline {
  private enum CodingKeys: CodingKey {
    case size, channels, geometry, normalisation, orientation
  }

  /// Reads also what was written before there was an orientation.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      size: try values.decode(Int.self, forKey: .size),
      channels: try values.decode(Int.self, forKey: .channels),
      geometry: try values.decode(Geometry.self, forKey: .geometry),
      normalisation: try values.decode(Normalisation.self, forKey: .normalisation),
      orientation: try values.decodeIfPresent(OrientationPolicy.self, forKey: .orientation) ?? .ignore)
  }

  /// Leaves out an orientation that is ignored, so that records of such runs stay what they were.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(size, forKey: .size)
    try values.encode(channels, forKey: .channels)
    try values.encode(geometry, forKey: .geometry)
    try values.encode(normalisation, forKey: .normalisation)
    if orientation != .ignore { try values.encode(orientation, forKey: .orientation) }
  }
}
