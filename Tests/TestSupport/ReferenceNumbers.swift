/// The formula of Tools/reference_models.py: element j is TABLE[(7919 · index + j) mod 65537].
public func referenceNumbers(_ index: Int, count: Int) -> [Float] {
  (0..<count).map { j in
    var z = UInt64((7919 * index + j) % 65537 + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z = z ^ (z >> 31)
    return Float(Double(z >> 40) * 0x1p-23 - 1)
  }
}
