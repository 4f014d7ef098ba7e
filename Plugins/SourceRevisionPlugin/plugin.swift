import Foundation
import PackagePlugin

/// Tells the program which commit it is built from: before each build, `scripts/revision` writes that as a Swift file.
///
/// By a plugin, since only so it is also right after a plain `swift build`: a file that `scripts/setup` wrote would then name
/// an older commit, and the manifest is not read again for a new one. The file has a target of its own that holds
/// nothing else, so that after a commit one small file is compiled and the program is linked. Git runs read-only, as the
/// sandbox of macOS wants it. Packages that depend on the libraries do not build the target, and never run this.
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
