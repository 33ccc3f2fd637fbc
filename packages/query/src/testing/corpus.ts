/** Statements over the real tables that the planner accepts, written so that DuckDB understands them too. */

const cycle = <T>(list: readonly T[], index: number): T => list[index % list.length] as T

interface Source {
  readonly from: string
  readonly measures: readonly string[]
  readonly keys: readonly string[]
  readonly filters: readonly string[]
}

const workers: Source = {
  from: 'pay.workers',
  measures: [
    'wage',
    'education',
    'experience',
    'age',
    'wage * 2 - 1.5',
    'wage - education',
    'wage / age',
    'age % 10',
    'abs(wage - 10)',
    'round(wage, 1)',
    'floor(wage)',
    'ceil(wage)',
    'greatest(education, 12)',
    'least(age, 40, experience + 30)',
    'coalesce(nullif(education, 12), 0)',
    'CASE WHEN married THEN wage WHEN south THEN 1.25 END',
    'wage::integer',
    'sign(education - 12)',
    '(age - education) * wage',
    'mod(experience, 7)',
    'CAST(wage AS NUMERIC(18, 1))',
    '-wage',
  ],
  keys: [
    'gender',
    'sector',
    'occupation',
    'south',
    "CASE WHEN education < 12 THEN 'low' WHEN education = 12 THEN 'mid' ELSE 'high' END",
    'married',
    'CASE WHEN age >= 40 THEN 1 ELSE 0 END',
  ],
  filters: [
    'wage > 5',
    'education BETWEEN 10 AND 16',
    "sector = 'other' OR south",
    'NOT married',
    "occupation IN ('Sales', 'sales', 'management', 'other')",
    'age % 2 = 0',
    'wage * 2 < age + 7.5',
    "gender LIKE 'f%'",
    'south IS NOT TRUE AND experience <> 3',
    'abs(age - 40) <= 15',
    'round(wage) >= 6',
    'coalesce(nullif(education, 12), 1) > 1',
  ],
}
const tracts: Source = {
  from: 'homes.tracts',
  measures: [
    'rooms',
    'medv',
    'tax',
    'rad',
    'medv / rooms',
    'rooms * rooms',
    'tax - medv * 10',
    'CASE WHEN chas THEN medv ELSE 0 END',
    'trunc(rooms)',
    'rooms::numeric(18, 1)',
    'greatest(medv, 20.5)',
  ],
  keys: ['chas', 'rad', "CASE WHEN tax > 500 THEN 'much' ELSE 'little' END"],
  filters: [
    'medv > 15',
    'rooms BETWEEN 5.5 AND 7.25',
    'NOT chas',
    'tax <> 666',
    'rad IN (1, 4, 24)',
    'floor(rooms) = 6',
  ],
}
const blocks: Source = {
  from: 'homes.blocks',
  measures: [
    'price',
    'dist',
    'ptratio',
    'zoned',
    'price * dist',
    'zoned + rad',
    'coalesce(zoned, 5)',
    'price / (rad + 1)',
  ],
  keys: ['rad', "CASE WHEN zoned IS NULL THEN 'none' WHEN zoned > 25 THEN 'much' END"],
  filters: ['dist < 5.5', 'zoned IS NOT NULL', 'price >= ptratio', 'zoned % 5 = 0', 'rad <> 24'],
}

function select(aggregates: string, { from }: Source, filter: string | null, key: string | null): string {
  const where = filter === null ? '' : ` WHERE ${filter}`
  return key === null
    ? `SELECT ${aggregates} FROM ${from}${where}`
    : `SELECT ${key} AS k, ${aggregates} FROM ${from}${where} GROUP BY 1`
}

const plain = [workers, tracts, blocks].flatMap((source) =>
  source.measures.flatMap((measure, index) => {
    const filter = index % 3 === 0 ? null : cycle(source.filters, index)
    const key = index % 4 === 1 ? null : cycle(source.keys, index)
    return [
      select(`sum(${measure}), count(*)`, source, filter, key),
      select(`avg(${measure})`, source, cycle(source.filters, index + 1), cycle(source.keys, index + 1)),
      select(
        `count(${measure}), sum(${measure}) FILTER (WHERE ${cycle(source.filters, index + 2)})`,
        source,
        null,
        key,
      ),
      select(`stddev_pop(${measure}), var_samp(${measure})`, source, filter, null),
      select(`count(*), var_pop(${measure})`, source, cycle(source.filters, index + 3), null),
    ]
  }),
)

const distinct = [workers, tracts, blocks].flatMap((source) =>
  source.measures
    .slice(0, 4)
    .map((measure, index) =>
      select(`count(DISTINCT ${measure})`, source, null, index % 2 ? null : cycle(source.keys, index)),
    ),
)

const pairs = (
  [
    [workers, 'wage', 'education'],
    [workers, 'age', 'experience'],
    [workers, 'wage * 2', 'age - 16'],
    [tracts, 'medv', 'rooms'],
    [tracts, 'tax', 'medv'],
    [blocks, 'price', 'dist'],
    [blocks, 'coalesce(zoned, 0)', 'price'],
  ] as const
).flatMap(([source, y, x]) =>
  ['corr', 'covar_pop', 'covar_samp', 'regr_slope', 'regr_intercept'].map((name, index) =>
    select(
      `${name}(${y}, ${x})`,
      source,
      index === 2 ? cycle(source.filters, index) : null,
      index === 1 && source !== blocks ? cycle(source.keys, 0) : null,
    ),
  ),
)

/** Read from bins: within a bin's width. */
export const quantiles: readonly string[] = [
  select('median(wage)', workers, null, 'gender'),
  select('percentile_cont(0.25) WITHIN GROUP (ORDER BY wage)', workers, null, null),
  select('quantile_cont(wage, 0.9)', workers, 'age > 30', 'south'),
  select('median(education), median(age)', workers, null, null),
  select('median(rooms)', tracts, null, 'chas'),
  select('quantile_cont(medv, 0.75), quantile_cont(medv, 0.1)', tracts, null, null),
  select('median(price)', blocks, null, null),
]

const grouping = [
  'SELECT gender, south, count(*), grouping(gender, south) FROM pay.workers GROUP BY ROLLUP (gender, south)',
  'SELECT gender, sector, sum(wage) FROM pay.workers GROUP BY CUBE (gender, sector)',
  'SELECT gender, sector, avg(wage) FROM pay.workers GROUP BY GROUPING SETS ((gender), (sector), ())',
  'SELECT occupation, married, count(*) FROM pay.workers GROUP BY GROUPING SETS ((occupation, married), (married))',
  'SELECT rad, chas, avg(medv), count(*) FROM homes.tracts GROUP BY ROLLUP (rad, chas)',
  'SELECT south, gender, count(*) FROM pay.workers WHERE wage > 4 GROUP BY south, ROLLUP (gender)',
  'SELECT rad, sum(price) FROM homes.blocks GROUP BY ROLLUP (rad) HAVING count(*) > 20',
]

const nested = [
  'SELECT sum(w) FROM (SELECT contributor, wage AS w FROM pay.workers) t',
  'SELECT g, avg(w * 2) FROM (SELECT gender AS g, wage AS w, age FROM pay.workers WHERE age > 30) t WHERE age < 60 GROUP BY g',
  'SELECT avg(n) FROM (SELECT contributor, count(*) AS n FROM homes.blocks GROUP BY contributor) t',
  'SELECT n, count(*) FROM (SELECT contributor, count(*) AS n FROM homes.blocks WHERE price > 20 GROUP BY contributor) t GROUP BY n',
  'SELECT sum(total), sum(best), sum(worst) FROM (SELECT contributor, sum(price) AS total, max(price) AS best, min(price) AS worst FROM homes.blocks GROUP BY contributor) t',
  'SELECT avg(best - worst) FROM (SELECT contributor, max(price) AS best, min(price) AS worst FROM homes.blocks GROUP BY contributor) t WHERE best > worst',
  'SELECT avg(mean) FROM (SELECT contributor, avg(price) AS mean FROM homes.blocks GROUP BY contributor) t',
  'SELECT rad, avg(total) FROM (SELECT contributor, rad, sum(price) AS total FROM homes.blocks GROUP BY contributor, rad) t GROUP BY rad',
  'SELECT count(*) FROM (SELECT contributor FROM homes.blocks GROUP BY contributor HAVING sum(price) > 60 AND count(*) >= 3) t',
  'SELECT count(*) FROM (SELECT DISTINCT contributor, rad FROM homes.blocks) t',
  'WITH t AS (SELECT contributor, wage FROM pay.workers WHERE south) SELECT count(*), sum(wage) FROM t',
  'WITH a AS (SELECT contributor, price * 2 AS p FROM homes.blocks), b AS (SELECT contributor, p + 1 AS q FROM a WHERE p > 30) SELECT sum(q) FROM b',
  "SELECT band, count(*) FROM (SELECT contributor, CASE WHEN wage < 6 THEN 'low' ELSE 'high' END AS band FROM pay.workers) t GROUP BY band",
  'SELECT sum(n) FILTER (WHERE n > 1), count(*) FROM (SELECT contributor, count(zoned) AS n FROM homes.blocks GROUP BY contributor) t',
  'SELECT stddev_pop(total) FROM (SELECT contributor, sum(price) AS total FROM homes.blocks GROUP BY contributor) t',
  'SELECT avg(c) FROM (SELECT contributor, count(*) FILTER (WHERE dist > 4) AS c FROM homes.blocks GROUP BY contributor) t',
]

const windows = [
  'SELECT sum(price) FROM (SELECT contributor, price, row_number() OVER (PARTITION BY contributor ORDER BY price, dist, ptratio) AS n FROM homes.blocks) t WHERE n = 1',
  'SELECT n, avg(price) FROM (SELECT contributor, price, rank() OVER (PARTITION BY contributor ORDER BY price DESC) AS n FROM homes.blocks) t GROUP BY n',
  'SELECT sum(price - before) FROM (SELECT contributor, price, lag(price) OVER (PARTITION BY contributor ORDER BY dist, price) AS before FROM homes.blocks) t WHERE before IS NOT NULL',
  'SELECT avg(after) FROM (SELECT contributor, lead(dist, 1) OVER (PARTITION BY contributor ORDER BY price, dist) AS after FROM homes.blocks) t',
  'SELECT sum(running) FROM (SELECT contributor, sum(price) OVER (PARTITION BY contributor ORDER BY dist) AS running FROM homes.blocks) t',
  'SELECT avg(price / whole) FROM (SELECT contributor, price, sum(price) OVER (PARTITION BY contributor) AS whole FROM homes.blocks) t',
  'SELECT count(*) FROM (SELECT contributor, price, avg(price) OVER (PARTITION BY contributor) AS mean FROM homes.blocks) t WHERE price > mean + 0.5',
  'SELECT sum(n) FROM (SELECT contributor, count(*) OVER (PARTITION BY contributor) AS n FROM homes.blocks) t',
  'SELECT sum(d) FROM (SELECT contributor, dense_rank() OVER (PARTITION BY contributor ORDER BY rad) AS d FROM homes.blocks) t',
  'SELECT sum(m) FROM (SELECT contributor, max(price) OVER (PARTITION BY contributor ORDER BY dist) AS m FROM homes.blocks) t',
]

const joins = [
  'SELECT count(*), sum(wage) FROM pay.workers w JOIN homes.tracts t ON w.contributor = t.contributor',
  'SELECT gender, avg(medv) FROM pay.workers JOIN homes.tracts USING (contributor) GROUP BY gender',
  'SELECT chas, sum(w.wage + t.rooms) FROM homes.tracts t JOIN pay.workers w ON t.contributor = w.contributor AND w.age > 30 GROUP BY chas',
  'SELECT count(*), sum(price) FROM pay.workers w JOIN homes.blocks b USING (contributor) WHERE w.south',
  'SELECT count(*), count(price), sum(price) FROM pay.workers w LEFT JOIN homes.blocks b ON b.contributor = w.contributor',
  'SELECT count(DISTINCT b.contributor), count(b.contributor) FROM pay.workers w LEFT JOIN homes.blocks b ON b.contributor = w.contributor AND b.price > 30',
  'SELECT count(*) FROM pay.workers w LEFT JOIN homes.blocks b ON w.contributor = b.contributor WHERE b.contributor IS NULL',
  'SELECT b.rad, count(*) FROM pay.workers w LEFT JOIN homes.blocks b ON w.contributor = b.contributor GROUP BY b.rad',
  'SELECT count(*) FROM pay.workers w, homes.tracts t WHERE w.contributor = t.contributor AND t.chas',
  'SELECT sum(w.wage * t.medv) FROM pay.workers w JOIN homes.tracts t USING (contributor) JOIN homes.blocks b USING (contributor)',
  'SELECT label, avg(wage) FROM pay.workers w JOIN pub.genders g ON w.gender = g.code GROUP BY label',
  'SELECT sum(wage * weight) FROM pay.workers w JOIN pub.genders g ON g.code = w.gender',
  'SELECT year, sum(wage * rate) FROM pay.workers CROSS JOIN pub.rates GROUP BY year',
  'SELECT label, year, count(*) FROM pub.genders g JOIN pay.workers w ON w.gender = g.code, pub.rates GROUP BY label, year',
  'SELECT count(*), sum(weight) FROM pay.workers w LEFT JOIN pub.genders g ON g.code = w.gender AND g.weight > 2',
  'SELECT count(*), count(DISTINCT contributor), sum(w.wage), sum(v.hours) FROM pay.workers w FULL JOIN homes.visits v USING (contributor)',
  'SELECT count(*), count(w.contributor), count(DISTINCT b.contributor) FROM homes.blocks b FULL OUTER JOIN pay.workers w ON w.contributor = b.contributor',
  'SELECT w.gender, count(*), count(b.price) FROM pay.workers w FULL JOIN homes.blocks b USING (contributor) WHERE w.south OR w.contributor IS NULL GROUP BY w.gender',
  'SELECT count(*) FROM pay.workers w FULL JOIN homes.visits v ON v.contributor = w.contributor WHERE v.contributor IS NULL OR w.contributor IS NULL',
  'SELECT sum(n), count(*) FROM (SELECT contributor, count(v.hours) AS n FROM pay.workers w FULL JOIN homes.visits v USING (contributor) GROUP BY contributor) t',
  'SELECT sum(s), count(*) FROM (SELECT contributor, sum(v.hours) OVER (PARTITION BY contributor) AS s FROM homes.visits v FULL JOIN homes.blocks b USING (contributor)) t',
  'SELECT count(*) FROM pay.workers w FULL JOIN homes.visits v USING (contributor) WHERE contributor IN (SELECT contributor FROM homes.blocks WHERE price > 20)',
  'SELECT sum(coalesce(w.p, 0) + coalesce(v.h, 0)) FROM (SELECT contributor, wage AS p FROM pay.workers WHERE wage > 9) w FULL JOIN (SELECT contributor, hours AS h FROM homes.visits WHERE hours > 9) v USING (contributor)',
  'SELECT g.label, count(*) FROM pay.workers w FULL JOIN homes.blocks b USING (contributor) LEFT JOIN pub.genders g ON g.code = w.gender GROUP BY g.label',
  'SELECT avg(w.wage - t.best) FROM pay.workers w JOIN (SELECT contributor, max(price) AS best FROM homes.blocks GROUP BY contributor) t ON t.contributor = w.contributor',
]

const members = [
  'SELECT count(*) FROM pay.workers WHERE contributor IN (SELECT contributor FROM homes.blocks WHERE price > 40)',
  'SELECT gender, sum(wage) FROM pay.workers WHERE contributor NOT IN (SELECT contributor FROM homes.tracts WHERE chas) GROUP BY gender',
  'SELECT count(*) FROM pay.workers w WHERE EXISTS (SELECT 1 FROM homes.blocks b WHERE b.contributor = w.contributor AND b.dist < 3)',
  'SELECT avg(wage) FROM pay.workers w WHERE NOT EXISTS (SELECT 1 FROM homes.blocks b WHERE b.contributor = w.contributor)',
  'SELECT count(*) FROM pay.workers w WHERE south OR EXISTS (SELECT 1 FROM homes.tracts t WHERE w.contributor = t.contributor AND t.tax > 600)',
  'SELECT sum(wage) FROM pay.workers WHERE contributor IN (SELECT contributor FROM homes.blocks GROUP BY contributor HAVING sum(price) > 70)',
]

const unions = [
  'SELECT sum(v) FROM (SELECT contributor, wage AS v FROM pay.workers UNION ALL SELECT contributor, rooms::numeric(18, 2) AS v FROM homes.tracts) t',
  "SELECT k, count(*) FROM (SELECT contributor, 'pay' AS k FROM pay.workers UNION ALL SELECT contributor, 'homes' AS k FROM homes.blocks) t GROUP BY k",
  'SELECT avg(wage) FROM pay.workers UNION ALL SELECT avg(medv) FROM homes.tracts',
  "SELECT gender, count(*) AS n FROM pay.workers GROUP BY gender UNION ALL SELECT 'all ' || '' AS gender, count(*) FROM pay.workers",
].slice(0, 3)

const released = [
  'SELECT gender, sum(wage) / count(*) AS mean, round(avg(wage), 1) FROM pay.workers GROUP BY gender ORDER BY mean DESC',
  'SELECT sector, count(*) AS n FROM pay.workers GROUP BY sector HAVING count(*) > 30 ORDER BY n DESC LIMIT 2',
  'SELECT occupation, avg(wage) AS m FROM pay.workers GROUP BY occupation HAVING avg(wage) BETWEEN 5 AND 12 ORDER BY m, occupation LIMIT 3 OFFSET 1',
  "SELECT gender, CASE WHEN avg(wage) > 9 THEN 'more' ELSE 'less' END AS c FROM pay.workers GROUP BY gender",
  'SELECT (SELECT sum(wage) FROM pay.workers) - (SELECT sum(wage) FROM pay.workers WHERE age <> 41) AS d',
  'WITH a AS (SELECT sum(wage) AS s FROM pay.workers) SELECT s, s + 1, s * 2 FROM a',
  'SELECT g, n * 2 AS twice FROM (SELECT gender AS g, count(*) AS n FROM pay.workers GROUP BY gender) t WHERE n > 10 ORDER BY twice',
  'SELECT gender, count(*) * 100.0 / (SELECT count(*) FROM pay.workers) AS share FROM pay.workers GROUP BY gender',
  'SELECT coalesce(nullif(count(*), 0), 1) + 1, greatest(count(*), 10), abs(sum(wage) - 5) FROM pay.workers',
  'SELECT rad, avg(medv) FROM homes.tracts GROUP BY rad ORDER BY avg(medv) DESC LIMIT 3',
  'SELECT chas, count(*) FROM homes.tracts GROUP BY chas HAVING NOT chas',
  'SELECT south, married, count(*) FROM pay.workers GROUP BY south, married ORDER BY 3 DESC, 1, 2',
]

const texts = [
  'SELECT upper(gender) AS g, count(*) FROM pay.workers GROUP BY 1',
  "SELECT count(*) FROM pay.workers WHERE lower(sector) = 'other'",
  'SELECT left(occupation, 1) AS first, count(*), avg(wage) FROM pay.workers GROUP BY left(occupation, 1)',
  "SELECT gender || '/' || sector AS both, sum(wage) FROM pay.workers GROUP BY 1",
  'SELECT count(*) FROM pay.workers WHERE length(occupation) > 6 AND char_length(gender) = 4',
  "SELECT count(*) FROM pay.workers WHERE substring(occupation, 2, 3) <> 'ale' AND substr(sector, 3) LIKE '%er'",
  "SELECT count(*) FROM pay.workers WHERE trim('  ' || gender || ' ') = 'male'",
  'SELECT substring(sector from 1 for 3) AS s, count(*) FROM pay.workers GROUP BY 1 HAVING count(*) > 5',
  "SELECT count(*) FROM (SELECT contributor, lower(gender || 'X') AS k FROM pay.workers) t WHERE k LIKE '%ex'",
  'SELECT count(DISTINCT upper(occupation)), count(DISTINCT left(occupation, 1)) FROM pay.workers',
]

const reals = [
  'SELECT sum(sqrt(wage)), avg(ln(wage + 1)), sum(exp(education / 10.0)) FROM pay.workers',
  'SELECT gender, avg(ln(wage)) FROM pay.workers WHERE wage > 0 GROUP BY gender',
  'SELECT count(*) FROM pay.workers WHERE sin(wage * 12.5) > 0.25 AND cos(age) < 0.5',
  'SELECT sum(power(wage, 2)), sum(power(education, 3)), avg(power(age, 1)) FROM pay.workers',
  'SELECT corr(ln(wage + 1), sqrt(experience)) FROM pay.workers',
  'SELECT sqrt(avg(power(wage, 2))) AS root, ln(avg(wage)) FROM pay.workers',
]

const visits = 'homes.visits'
const per = (columns: string) => `(SELECT contributor, ${columns} FROM homes.visits) t`

const moments = [
  ...['year', 'quarter', 'month', 'week', 'isoyear', 'day', 'doy', 'dow', 'isodow'].flatMap((part) => [
    `SELECT extract(${part} FROM day) AS k, count(*) FROM ${visits} GROUP BY 1`,
    `SELECT sum(extract(${part} FROM started)), avg(date_part('${part}', joined)) FROM ${visits}`,
  ]),
  ...['hour', 'minute'].map(
    (part) => `SELECT extract(${part} FROM started) AS k, count(*) FROM ${visits} GROUP BY 1`,
  ),
  `SELECT sum(extract(epoch FROM started)), sum(epoch(day)) FROM ${visits}`,
  ...['year', 'quarter', 'month', 'week'].flatMap((unit) => [
    `SELECT date_trunc('${unit}', joined) AS k, count(*), sum(hours) FROM ${visits} GROUP BY k`,
    `SELECT count(*), count(DISTINCT date_trunc('${unit}', day)) FROM ${visits} WHERE date_trunc('${unit}', started) = date_trunc('${unit}', day)`,
    `SELECT sum(date_diff('${unit}', day, joined)), sum(date_diff('${unit}', joined, started)) FROM ${visits}`,
    `SELECT count(*) FROM ${visits} WHERE date_trunc('${unit}', started) > TIMESTAMP '1999-12-31 23:59:59.5'`,
  ]),
  ...['day', 'hour', 'minute', 'second'].flatMap((unit) => [
    `SELECT count(DISTINCT date_trunc('${unit}', started)) FROM ${visits}`,
    `SELECT sum(date_diff('${unit}', day, started)) FROM ${visits}`,
  ]),
  `SELECT joined, count(*) FROM ${visits} GROUP BY joined`,
  `SELECT date_trunc('month', joined) AS m, avg(hours) FROM ${visits} GROUP BY m HAVING date_trunc('month', joined) >= DATE '2021-06-01' ORDER BY m DESC LIMIT 4`,
  `SELECT date_trunc('year', day) AS y, count(*) FROM ${visits} GROUP BY y ORDER BY y`,
  `SELECT count(*) FROM ${visits} WHERE day >= '2000-02-29' AND joined < DATE '2022-01-01'`,
  `SELECT count(*) FROM ${visits} WHERE day BETWEEN '1960-01-01' AND '1999-12-31' OR day IS NULL`,
  `SELECT count(*) FROM ${visits} WHERE started < '1970-01-01' AND started::date <> day`,
  `SELECT count(*) FROM ${visits} WHERE joined IN ('2021-12-24', DATE '2021-05-01') OR day NOT IN ('2024-02-29', NULL)`,
  `SELECT count(*) FROM ${visits} WHERE started >= day AND NOT started > day + INTERVAL '1 day'`,
  ...['1 month', '13 months', '1 year 2 months', '36 hours', '1 day 02:30:00', '-3 months', '2 weeks'].map(
    (text) =>
      `SELECT count(*), sum(extract(doy FROM day + INTERVAL '${text}')), sum(extract(epoch FROM started - INTERVAL '${text}')) FROM ${visits} WHERE joined + INTERVAL '${text}' > DATE '2021-07-01'`,
  ),
  `SELECT sum(extract(day FROM DATE '2024-01-31' + hours * INTERVAL '1' MONTH)) FROM ${visits}`,
  `SELECT sum(epoch(day + to_years(hours))), sum(epoch(joined - to_days(hours) + to_hours(3))) FROM ${visits}`,
  `SELECT sum(joined - day), avg(joined - 7 - DATE '2020-01-01'), sum(epoch(started - day)) FROM ${visits}`,
  `SELECT count(*) FROM ${visits} WHERE joined - day > 100 AND started - day < INTERVAL '5 days'`,
  `SELECT sum(extract(year FROM greatest(day, joined))), sum(extract(month FROM least(joined, DATE '2021-09-09'))) FROM ${visits}`,
  `SELECT sum(year(coalesce(day, DATE '2020-02-29'))), count(nullif(joined, DATE '2021-12-24')) FROM ${visits}`,
  `SELECT sum(month(CASE WHEN hours > 9 THEN day ELSE joined END)) FROM ${visits}`,
  `SELECT count(DISTINCT day), count(day), count(started), count(DISTINCT started::date) FROM ${visits}`,
  `SELECT sum(last - first), count(*) FROM (SELECT contributor, min(joined) AS first, max(joined) AS last FROM ${visits} GROUP BY contributor) t`,
  `SELECT date_trunc('month', first) AS m, count(*) FROM (SELECT contributor, min(joined) AS first FROM ${visits} GROUP BY contributor) t GROUP BY m`,
  `SELECT sum(day - before), count(before) FROM ${per('day, lag(day) OVER (PARTITION BY contributor ORDER BY day, hours) AS before')}`,
  `SELECT sum(epoch(later - started)) FROM ${per('started, max(started) OVER (PARTITION BY contributor) AS later')}`,
  `SELECT m, count(*) FROM ${per("date_trunc('month', joined) AS m")} GROUP BY m`,
  `SELECT label, count(*) FROM ${visits} v JOIN pub.holidays h ON h.day = v.joined GROUP BY label`,
  `SELECT count(*) FROM ${visits} v LEFT JOIN pub.holidays h ON h.day <= v.joined WHERE h.label IS NULL`,
]

const window = (call: string) =>
  `SELECT sum(v), count(v) FROM (SELECT contributor, ${call} AS v FROM homes.blocks) t`
const near = 'PARTITION BY contributor ORDER BY price, dist, ptratio'

const frames = [
  ...[
    'ROWS BETWEEN 1 PRECEDING AND CURRENT ROW',
    'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING',
    'ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
    'ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING',
    'ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING',
    'ROWS 2 PRECEDING',
    'RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING',
    'RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
  ].flatMap((frame) => [
    window(`sum(price) OVER (${near} ${frame})`),
    window(`count(*) OVER (${near} ${frame})`),
    window(`avg(dist) OVER (${near} ${frame})`),
    window(`max(zoned) OVER (${near} ${frame})`),
  ]),
  window(`first_value(zoned) OVER (${near})`),
  window(`last_value(zoned) OVER (${near} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)`),
  window(`first_value(price) OVER (${near} ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING)`),
  window(
    'last_value(dist) OVER (PARTITION BY contributor ORDER BY price DESC, dist, ptratio RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)',
  ),
]

const places = [
  "SELECT count(*) FROM pay.workers WHERE sector ILIKE 'OTH%' OR occupation NOT ILIKE '%A%'",
  "SELECT count(*) FROM pay.workers WHERE upper(occupation) ILIKE '_a%' AND occupation ILIKE '%e%'",
  "SELECT count(*) FROM pay.workers WHERE starts_with(occupation, 'ma') OR starts_with(sector, '')",
  "SELECT count(*) FROM pay.workers WHERE ends_with(occupation, 's') AND NOT ends_with(sector, 'er')",
  "SELECT count(*), count(*) FILTER (WHERE contains(occupation, 'e')) FROM pay.workers WHERE contains(sector, 't')",
  "SELECT CASE WHEN contains(occupation, 'er') THEN 'er' ELSE 'none' END AS k, count(*) FROM pay.workers GROUP BY k",
]

const series = [
  'SELECT year, count(*) FROM pay.workers CROSS JOIN generate_series(1, 3) AS y(year) GROUP BY year',
  'SELECT g, avg(wage) FROM pay.workers, range(4) t(g) GROUP BY g',
  'SELECT sum(g * education) FROM pay.workers w JOIN range(2, 30) t(g) ON t.g = w.education',
]

const spellings = [
  'SELECT count(*), count(DISTINCT b.contributor), sum(b.price) FROM homes.blocks b RIGHT JOIN pay.workers w ON b.contributor = w.contributor AND b.price > 20',
  'SELECT w.gender, count(*), count(b.price) FROM homes.blocks b RIGHT OUTER JOIN pay.workers w USING (contributor) WHERE w.wage > 5 GROUP BY w.gender',
  'SELECT g.label, count(*) FROM pub.genders g RIGHT JOIN pay.workers w ON g.code = w.gender GROUP BY g.label',
  'SELECT sum(DISTINCT education), avg(DISTINCT education), sum(education), count(DISTINCT education) FROM pay.workers',
  'SELECT gender, sum(DISTINCT age), avg(DISTINCT age - education) FROM pay.workers GROUP BY gender',
  'SELECT south, sum(DISTINCT wage) FILTER (WHERE married), avg(DISTINCT wage) FILTER (WHERE married) FROM pay.workers GROUP BY south',
  'SELECT sum(DISTINCT coalesce(nullif(education, 12), 0)), avg(DISTINCT nullif(education, 12)) FROM pay.workers',
  "SELECT count(*) FROM pay.workers WHERE sector IS DISTINCT FROM 'other' AND nullif(education, 12) IS DISTINCT FROM 16",
  'SELECT count(*) FROM pay.workers WHERE nullif(education, 12) IS NOT DISTINCT FROM nullif(education, 16)',
  'SELECT count(*) FROM pay.workers WHERE age NOT BETWEEN 20 AND 40 AND (age >= 50 OR age <= 45)',
  "SELECT count(*) FROM pay.workers WHERE sector = ANY (ARRAY['other', 'manufacturing']) AND age = ANY (ARRAY[30, 31, 32, 33])",
  'SELECT sum(wage ^ 2), count_if(wage > 9), count_if(married) FILTER (WHERE south) FROM pay.workers',
  'SELECT sum(if(married, wage, 0)), sum(ifnull(nullif(education, 12), 1)) FROM pay.workers',
  "SELECT count(*) FROM pay.workers WHERE prefix(occupation, 'm') OR suffix(sector, 'r')",
  'SELECT wage > 9 AS rich, count(*), avg(wage) FROM pay.workers GROUP BY rich',
  'SELECT NOT married AND age > 40 AS k, south, count(*) FROM pay.workers GROUP BY 1, south',
  "SELECT sector IN ('other', 'manufacturing') AS k, gender LIKE 'f%' AS f, count(*) FROM pay.workers GROUP BY k, f",
  'SELECT nullif(education, 12) IS NULL AS k, count(*) FROM pay.workers GROUP BY nullif(education, 12) IS NULL',
  'SELECT nullif(education, 12) > 12 AS k, count(*) FROM pay.workers GROUP BY k',
  'SELECT contributor IN (SELECT contributor FROM homes.blocks WHERE price > 20) AS k, count(*) FROM pay.workers GROUP BY k',
  'SELECT floor(age / 10) * 10 AS decade, count(*), avg(wage) FROM pay.workers GROUP BY decade',
  'SELECT age % 7 AS k, count(*) FROM pay.workers GROUP BY k',
  'SELECT 100 - education AS k, count(*) FROM pay.workers GROUP BY 100 - education ORDER BY k',
  'SELECT -education AS k, count(*) FROM pay.workers GROUP BY k',
  'SELECT wage::integer AS k, count(*) FROM pay.workers GROUP BY k',
]

/** Everything that is exact up to rounding. */
export const corpus: readonly string[] = [
  ...plain,
  ...distinct,
  ...pairs,
  ...grouping,
  ...nested,
  ...windows,
  ...joins,
  ...members,
  ...unions,
  ...released,
  ...texts,
  ...reals,
  ...series,
  ...places,
  ...spellings,
  ...moments,
  ...frames,
]
