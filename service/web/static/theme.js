// Before the first picture, so that it never flashes in the other theme. A classic script: modules come too late.
try {
  const theme = JSON.parse(localStorage.getItem("evoproxy.theme"));
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // storage is refused: the system's theme
}
