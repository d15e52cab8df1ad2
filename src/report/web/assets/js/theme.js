// Light or dark: as the system has it, unless its reader said otherwise.

const THEMES = ['auto', 'light', 'dark'];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId('theme').textContent = t(`theme_${theme}`);
  try {
    localStorage.setItem('modtools-theme', theme);
  } catch {
    // A page from a file may have no storage: then it is asked again next time.
  }
}

function savedTheme() {
  try {
    const saved = localStorage.getItem('modtools-theme');
    return THEMES.includes(saved) ? saved : 'auto';
  } catch {
    return 'auto';
  }
}
