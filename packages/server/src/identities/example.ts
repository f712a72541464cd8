/** The identity of the reference's examples. */

export const identityRequest = {
  type: 'ORGANIZATION',
  name: 'Tienda Andina SpA',
  email: 'pagos@andina.example',
  phone: '+56912345678',
  documentType: 'RUT',
  documentNumber: '76.543.210-3',
  country: 'CHL',
  idv: false,
}

export const identityExample = {
  id: 'idn_01k9v3m5x8e2wvq0c7d4n6t1ab',
  ...identityRequest,
  status: 'ACTIVE',
  children: [{ id: 'idn_01k9v3p7a4f0tsr8h2m5x9c6de', name: 'Sucursal Valparaíso', email: 'valpo@andina.example' }],
  createdAt: '2026-01-05T12:00:00.000Z',
  updatedAt: '2026-01-05T12:00:00.000Z',
}
