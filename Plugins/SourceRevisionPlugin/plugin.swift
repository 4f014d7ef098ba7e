import Foundation
import PackagePlugin

/// Writes the current commit to a Swift file before each build, with `scripts/revision`.
///
/// A plugin keeps the commit correct after a plain `swift build`. A file from `scripts/setup` would be outdated, and the
/// manifest is not evaluated again for a new commit. The generated file is in a small target, so that a new commit
/// recompiles little. Git runs read-only, as the sandbox of macOS requires. Packages that depend on the libraries do not
/// build this target.
@main struct SourceRevisionPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let package = context.package.directoryURL
    let folder = context.pluginWorkDirectoryURL.appending(path: "SourceRevision")
    return [
      .prebuildCommand(
        displayName: "Looking up the commit", executable: URL(fileURLWithPath: "/bin/sh"),
        arguments: [
          package.appending(path: "scripts/revision").path, package.path, folder.path,
        ], outputFilesDirectory: folder)
    ]
  }
}
