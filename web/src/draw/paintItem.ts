/** Paints items on a 2D context, in world units. */
import type { Item } from './DisplayList';

/**
 * Paint an item.
 *
 * @param place Where to paint it: the item's own place, or an eased one.
 * @param view Width and height of the world.
 * @param image What an `image` item shows.
 */
export function paint(
  context: CanvasRenderingContext2D,
  item: Item,
  place: number[],
  view: { width: number; height: number },
  image: CanvasImageSource | null,
): void {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = place;
  switch (item.kind) {
    case 'clear':
      context.fillStyle = item.color;
      context.fillRect(0, 0, view.width, view.height);
      return;
    case 'rect':
      context.fillStyle = item.color;
      if (e <= 0) {
        context.fillRect(a, b, c, d);
        return;
      }
      context.beginPath();
      context.roundRect(a, b, c, d, e);
      context.fill();
      return;
    case 'circle':
      context.fillStyle = item.color;
      context.beginPath();
      context.arc(a, b, Math.max(0, c), 0, 2 * Math.PI);
      context.fill();
      return;
    case 'line':
      context.strokeStyle = item.color;
      context.lineWidth = e;
      context.lineCap = 'round';
      context.beginPath();
      context.moveTo(a, b);
      context.lineTo(c, d);
      context.stroke();
      return;
    case 'polygon':
      context.fillStyle = item.color;
      context.beginPath();
      for (let corner = 0; corner < place.length; corner += 2) {
        context.lineTo(place[corner] ?? 0, place[corner + 1] ?? 0);
      }
      context.closePath();
      context.fill();
      return;
    case 'text':
      context.fillStyle = item.color;
      context.font = `${item.bold ? 'bold ' : ''}${c}px system-ui, sans-serif`;
      context.textAlign = item.align;
      context.textBaseline = 'middle';
      context.fillText(item.text, a, b);
      return;
    case 'image':
      if (image !== null) context.drawImage(image, a, b, c, d);
      return;
    default:
      item satisfies never;
  }
}
