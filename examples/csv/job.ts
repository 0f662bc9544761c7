import { nn, numpy as np, random } from '@jax-js/jax';
import { adam, csv, defineJob, oneHot, split } from 'tributary';

const districts = ['harbour', 'hills', 'north', 'old town'];
const hidden = 16;

const houses = csv('houses.csv', {
  fields: {
    size: 'area_m2',
    rooms: { columns: 'rooms', fill: 3 }, // not known of every house
    built: 'built',
    district: { columns: 'district', categories: districts },
    price: 'price_keur',
  },
});

type Parameters = {
  readonly w1: np.Array;
  readonly b1: np.Array;
  readonly w2: np.Array;
  readonly b2: np.Array;
};
type House = {
  readonly size: np.Array;
  readonly rooms: np.Array;
  readonly built: np.Array;
  readonly district: np.Array;
};

/** The price in hundreds of thousands, by a small network. Features are brought to the size of one, which is what it learns best from. */
function price({ w1, b1, w2, b2 }: Parameters, { size, rooms, built, district }: House): np.Array {
  const numbers = np.stack([size.sub(95).div(35), rooms.sub(3.5).div(1.5), built.sub(1970).div(35)], -1);
  const x = np.concatenate([numbers, oneHot(district, districts.length)], -1);
  const h = nn.relu(np.matmul(x, w1).add(b1));
  return np.dot(h, w2).add(b2);
}

/** Predicts the price of a house from a CSV file of 240. */
export default defineJob({
  name: 'house-prices',
  model: {
    init(key): Parameters {
      const [key1, key2] = random.split(key);
      return {
        w1: random.normal(key1, [7, hidden]).mul(Math.sqrt(2 / 7)),
        b1: np.zeros([hidden]),
        w2: random.normal(key2, [hidden]).mul(Math.sqrt(1 / hidden)),
        b2: np.array(3),
      };
    },
    loss: (parameters, { price: paid, ...house }) =>
      np.mean(np.square(price(parameters, house).sub(paid.div(100)))),
    predict: (parameters, house) => price(parameters, house).mul(100),
  },
  data: split(houses, { test: 0.25 }),
  optimizer: adam({ learningRate: 5e-3 }),
  batchSize: 4,
  epochs: 60,
});
