// Cells of a table that arrow keys walk over.

// The cell beside another one in the direction of an arrow key, if there is one.
export const cellBeside = (cell, key) => {
  const rows = [...cell.closest('tbody').rows];
  const row = rows.indexOf(cell.parentNode);
  const beside = {
    ArrowLeft: cell.previousElementSibling,
    ArrowRight: cell.nextElementSibling,
    ArrowUp: rows[row - 1]?.cells[cell.cellIndex],
    ArrowDown: rows[row + 1]?.cells[cell.cellIndex],
  };
  return beside[key];
};
