// Runs before the page is shown: the reader's theme, and that scripts run at all.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("iommu-lab-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("iommu-lab-code") === "hidden") root.dataset.code = "hidden";
  } catch {
    // A browser that remembers nothing shows the page as it is.
  }
})();
