#pragma once
// In the place of Gloo's own header, of which nothing is needed; see ../../README.md.
